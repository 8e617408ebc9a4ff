// SPDX-License-Identifier: GPL-2.0-or-later
/* svcenc-vault-akv: the worker of an Azure Key Vault or Managed HSM. */
#include "akv.h"
#include "sandbox.h"

int main(int argc, char **argv)
{
	struct vault_ops ops = akv_ops;

	ops.calls = sandbox_network_calls;
	ops.call_count = sandbox_network_call_count;
	return vault_main(&ops, argc, argv);
}
