// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For a deliberately leaky build of svcencd, linked with --wrap: secrets lie
 * on the ordinary heap, and are neither wiped nor given back. A search for
 * key bytes that does not catch this one proves nothing about the other.
 */
#include <stdlib.h>

void *__wrap_CRYPTO_secure_zalloc(size_t size, const char *file, int line);
void __wrap_CRYPTO_secure_clear_free(void *memory, size_t size,
				     const char *file, int line);

void *__wrap_CRYPTO_secure_zalloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return calloc(1, size);
}

void __wrap_CRYPTO_secure_clear_free(void *memory, size_t size,
				     const char *file, int line)
{
	(void)memory;
	(void)size;
	(void)file;
	(void)line;
}
