/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets of core/ share: a claim that holds or ends the run,
 * and images that begin as a valid template, so that inputs get past magic
 * and CRC.
 */
#ifndef SVCENC_FUZZ_H
#define SVCENC_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define CLAIM(condition)                                                   \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, \
				__LINE__, #condition);                     \
			abort();                                           \
		}                                                          \
	} while (0)

/*
 * Input as patches of @image: 2 bytes place, 1 byte length 1..8, then that
 * many bytes; what does not fit is ignored.
 */
static inline void fuzz_patch(const uint8_t *input, size_t size, uint8_t *image,
			      size_t image_size)
{
	while (size > 3) {
		size_t at = (size_t)(input[0] | input[1] << 8) % image_size;
		size_t len = 1 + (input[2] & 7);

		input += 3;
		size -= 3;
		if (len > size)
			len = size;
		if (len > image_size - at)
			len = image_size - at;
		memcpy(image + at, input, len);
		input += len;
		size -= len;
	}
}

#endif
