/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The only file of core/ that knows whether it is compiled for the kernel or
 * for userspace. Everything else in core/ sees fixed-width types, byte order
 * helpers, memory/string functions and errno names, and nothing more: no
 * allocation, no lock, no I/O, no clock, no log.
 */
#ifndef SVCENC_CORE_PORT_H
#define SVCENC_CORE_PORT_H

#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

#else

#include <endian.h>
#include <errno.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX

#define le16_to_cpu(x) le16toh((uint16_t)(x))
#define le32_to_cpu(x) le32toh((uint32_t)(x))
#define le64_to_cpu(x) le64toh((uint64_t)(x))
#define cpu_to_le16(x) ((__le16)htole16(x))
#define cpu_to_le32(x) ((__le32)htole32(x))
#define cpu_to_le64(x) ((__le64)htole64(x))
#define cpu_to_be32(x) ((__be32)htobe32(x))
#undef static_assert
#define static_assert(condition) _Static_assert(condition, #condition)
#define __printf(format, first) \
	__attribute__((__format__(__printf__, format, first)))

#endif

#endif
