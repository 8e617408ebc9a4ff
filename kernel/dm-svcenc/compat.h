/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, found by looking at the types themselves: the
 * stable trees backport API changes, so a version number says little. And
 * between architectures.
 */
#ifndef SVCENC_COMPAT_H
#define SVCENC_COMPAT_H

#include <asm/simd.h>
#include <linux/crypto.h>

/*
 * Completion callbacks got (void *context, int error) in 6.3; before, the
 * context is a member of the struct crypto_async_request passed.
 * SVCENC_CRYPTO_CALLBACK(fn) makes the adapter for fn(void *, int).
 */
#define SVCENC_CRYPTO_CALLBACK(fn)                                          \
	static void __maybe_unused fn##_areq(                               \
		struct crypto_async_request *areq, int error)               \
	{                                                                   \
		fn(areq->data, error);                                      \
	}

#define SVCENC_CRYPTO_CALLBACK_OF(fn)                                       \
	__builtin_choose_expr(                                              \
		__builtin_types_compatible_p(crypto_completion_t,           \
					     void (*)(void *, int)),        \
		fn, fn##_areq)

/*
 * False where the code that was interrupted uses the registers that the
 * processor's AES needs. Only x86 lets itself be interrupted there; User Mode
 * Linux has no such code, and others that have it are asked by the crypto API.
 */
static inline bool svcenc_simd_usable(void)
{
	return !IS_ENABLED(CONFIG_X86) || IS_ENABLED(CONFIG_UML) ||
	       may_use_simd();
}

#endif
