// SPDX-License-Identifier: MIT
/*
 * Random transfers on every kind of machine: CPU and device read the right
 * data.
 *
 * usage: dma_data [TRANSFERS]
 */
#include "transfers.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	const unsigned int n =
		argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 100;
	struct soft_kind kind;
	unsigned int done;
	const char *wrong;
	uint32_t nr;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (nr = 0; soft_kind_nr(nr, &kind); nr++) {
		wrong = transfers_run(&kind, NULL, nr, n, &done);
		if (wrong)
			printf("# transfer %u: %s\n", done, wrong);
		printf("%sok %u - %s\n", wrong ? "not " : "", nr + 1,
		       soft_kind_name(&kind));
	}
	printf("1..%u\n", nr);
	return 0;
}
