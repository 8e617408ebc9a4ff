/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints (events/svcenc/): the end of a key, superblock commits, bios
 * that met a locked volume. Identifiers and numbers only.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM svcenc

#if !defined(SVCENC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SVCENC_TRACE_H

#include <linux/tracepoint.h>

#include "core/ident.h"

TRACE_EVENT(svcenc_key_end,
	TP_PROTO(const struct svcenc_keyid *id, const char *reason,
		 u64 took_ns),
	TP_ARGS(id, reason, took_ns),
	TP_STRUCT__entry(
		__array(char, key, SVCENC_KEYID_TEXT + 1)
		__string(reason, reason)
		__field(u64, took_ns)
	),
	TP_fast_assign(
		svcenc_keyid_print(id, __entry->key);
		__assign_str(reason, reason);
		__entry->took_ns = took_ns;
	),
	TP_printk("%s %s, conversions stopped after %llu ns", __entry->key,
		  __get_str(reason), __entry->took_ns)
);

TRACE_EVENT(svcenc_commit,
	TP_PROTO(const char *device, u64 seq, int error),
	TP_ARGS(device, seq, error),
	TP_STRUCT__entry(
		__string(device, device)
		__field(u64, seq)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(device, device);
		__entry->seq = seq;
		__entry->error = error;
	),
	TP_printk("%s seq %llu error %d", __get_str(device), __entry->seq,
		  __entry->error)
);

TRACE_EVENT(svcenc_offline,
	TP_PROTO(const char *device, u64 sector, u32 opf),
	TP_ARGS(device, sector, opf),
	TP_STRUCT__entry(
		__string(device, device)
		__field(u64, sector)
		__field(u32, opf)
	),
	TP_fast_assign(
		__assign_str(device, device);
		__entry->sector = sector;
		__entry->opf = opf;
	),
	TP_printk("%s sector %llu opf 0x%x", __get_str(device),
		  __entry->sector, __entry->opf)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
