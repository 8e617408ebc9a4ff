// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc-vault-file: the worker of a file vault, and the parser of policy
 * records (record.h), which svcencd runs from the same program.
 */
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "record.h"

int main(int argc, char **argv)
{
	int r;

	if (argc != 2 || strcmp(argv[1], "--parse-record"))
		return vault_main(&file_ops, argc, argv);
	r = vault_main_init("file");
	return r ? r : record_job();
}
