// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PKCS#11 module for tests: another module ($P11_SHIM_MODULE) with its calls
 * noted in $P11_SHIM_FOLDER/log, one name a line, and misbehaving as
 * $P11_SHIM_FOLDER/control says:
 *
 *	FUNCTION crash|hang|exec|rv NUMBER|flags NUMBER [once] [after]
 *
 * "after": the real function is called first. Without that file it does
 * what the other module does.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

enum act { ACT_NONE, ACT_RV };

struct fault {
	char what[16];
	unsigned long number;
	int once, after;
};

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST list;

static void place(const char *name, char ret[512])
{
	const char *folder = getenv("P11_SHIM_FOLDER");

	snprintf(ret, 512, "%s/%s", folder ? folder : "/nonexistent", name);
}

static void note(const char *function)
{
	char path[512];
	FILE *log;

	place("log", path);
	log = fopen(path, "a");
	if (!log)
		return;
	fprintf(log, "%s\n", function);
	fclose(log);
}

/* What control says of @function; "" if nothing. */
static struct fault read_fault(const char *function)
{
	struct fault fault = { .what = "" };
	char path[512], name[32], line[128] = "";
	FILE *control;

	place("control", path);
	control = fopen(path, "r");
	if (!control)
		return fault;
	if (!fgets(line, sizeof(line), control) ||
	    sscanf(line, "%31s %15s %li", name, fault.what,
		   (long *)&fault.number) < 2 ||
	    strcmp(name, function))
		fault.what[0] = '\0';
	fclose(control);
	fault.once = !!strstr(line, " once");
	fault.after = !!strstr(line, " after");
	if (fault.what[0] && fault.once)
		unlink(path);
	return fault;
}

static enum act misbehave(const struct fault *fault, CK_RV *ret)
{
	if (!strcmp(fault->what, "crash"))
		abort();
	while (!strcmp(fault->what, "hang"))
		pause();
	if (!strcmp(fault->what, "exec"))
		execl("/bin/true", "true", NULL);
	if (strcmp(fault->what, "rv"))
		return ACT_NONE;
	*ret = fault->number;
	return ACT_RV;
}

#define SHIM(function, declare, ...)                                  \
	static CK_RV shim_##function declare                          \
	{                                                             \
		const struct fault fault = read_fault(#function);     \
		CK_RV rv = CKR_OK;                                    \
                                                                      \
		note(#function);                                      \
		if (!fault.after && misbehave(&fault, &rv) == ACT_RV) \
			return rv;                                    \
		rv = real->function(__VA_ARGS__);                     \
		if (fault.after)                                      \
			misbehave(&fault, &rv);                       \
		if (!strcmp(fault.what, "flags"))                     \
			shim_flags(fault.number);                     \
		return rv;                                            \
	}

static CK_TOKEN_INFO *last_info;

/* Sets flags in the answer of C_GetTokenInfo. */
static void shim_flags(unsigned long flags)
{
	if (last_info)
		last_info->flags |= flags;
}

SHIM(C_Initialize, (void *args), args)
SHIM(C_Login,
     (CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG len),
     session, user, pin, len)
SHIM(C_Decrypt,
     (CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
      CK_ULONG *out_len),
     session, in, in_len, out, out_len)
SHIM(C_WrapKey,
     (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE by,
      CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *out_len),
     session, mechanism, by, key, out, out_len)
SHIM(C_UnwrapKey,
     (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE by,
      CK_BYTE *in, CK_ULONG in_len, CK_ATTRIBUTE *template, CK_ULONG count,
      CK_OBJECT_HANDLE *ret),
     session, mechanism, by, in, in_len, template, count, ret)
SHIM(C_GetTokenInfo, (CK_SLOT_ID slot, CK_TOKEN_INFO *info), slot,
     last_info = info)

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret)
{
	const char *path = getenv("P11_SHIM_MODULE");
	CK_C_GetFunctionList get;
	void *module;

	if (!real) {
		module = path ? dlopen(path, RTLD_NOW) : NULL;
		if (!module)
			return CKR_GENERAL_ERROR;
		get = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
		if (!get || get(&real) != CKR_OK)
			return CKR_GENERAL_ERROR;
		list = *real;
		list.C_GetFunctionList = C_GetFunctionList;
		list.C_Initialize = shim_C_Initialize;
		list.C_Login = shim_C_Login;
		list.C_Decrypt = shim_C_Decrypt;
		list.C_WrapKey = shim_C_WrapKey;
		list.C_UnwrapKey = shim_C_UnwrapKey;
		list.C_GetTokenInfo = shim_C_GetTokenInfo;
	}
	*ret = &list;
	return CKR_OK;
}
