// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "names.h"

const char *svcenc_state_text(unsigned int state)
{
	switch (state) {
#define x(name, text)              \
	case SVCENC_STATE_##name: \
		return text;
		SVCENC_STATES(x)
#undef x
	}
	return NULL;
}

const char *svcenc_rotation_text(unsigned int state)
{
	switch (state) {
#define x(name, text)                 \
	case SVCENC_ROTATION_##name: \
		return text;
		SVCENC_ROTATIONS(x)
#undef x
	}
	return NULL;
}

const char *svcenc_event_text(unsigned int event)
{
	switch (event) {
#define x(name, number, text)      \
	case SVCENC_EVENT_##name: \
		return text;
		SVCENC_EVENTS(x)
#undef x
	}
	return NULL;
}
