/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * CRC32C (Castagnoli, reflected polynomial 0x82f63b78, RFC 3720 appendix
 * B.4), one nibble a step. Headers are a few KiB and rarely read, so core/
 * stays free of the kernel's crypto API and of any library.
 */
#ifndef SVCENC_CORE_CRC32C_H
#define SVCENC_CORE_CRC32C_H

#include "port.h"

/*
 * Continues @crc over @len bytes at @buf; start with 0. The usual inversions
 * before and after are inside, so chained calls equal one call.
 */
u32 svcenc_crc32c(u32 crc, const void *buf, size_t len);

#endif
