// SPDX-License-Identifier: MIT
/*
 * serve.c - the command line, input and output of every worker.
 *
 *	worker NSLOTS NPAGES PAGE_SHIFT FD STRICT
 */
#include "serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *say_errno(const char *what)
{
	static char text[JOB_WHY_MAX];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	return text;
}

int serve(int argc, char **argv, open_fn *open_peer, run_fn *run)
{
	static struct answer answer;
	static struct job job;
	const char *broken;
	const char *why;
	struct setup setup;

	if (argc != 6) {
		fputs("worker: to be started by pkmap bench\n", stderr);
		return EXIT_FAILURE;
	}
	setup = (struct setup){
		.nslots = (uint32_t)atoi(argv[1]),
		.npages = (uint32_t)atoi(argv[2]),
		.page_shift = (uint32_t)atoi(argv[3]),
		.fd = atoi(argv[4]),
		.strict = atoi(argv[5]),
	};
	broken = open_peer(&setup);
	while (fread(&job, sizeof(job), 1, stdin) == 1) {
		why = broken ? broken : run(&job, &answer);
		if (why)
			snprintf(answer.why, sizeof(answer.why), "%s", why);
		if (fwrite(&answer, sizeof(answer), 1, stdout) != 1 ||
		    fflush(stdout)) {
			perror("worker: standard output");
			return EXIT_FAILURE;
		}
	}
	if (!ferror(stdin))
		return EXIT_SUCCESS;
	perror("worker: standard input");
	return EXIT_FAILURE;
}
