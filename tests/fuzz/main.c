// SPDX-License-Identifier: MIT
/*
 * Runs the harness on pseudo-random inputs, the same ones every time.
 *
 * usage: fuzz_random [RUNS [FIRST]]
 */
#include "tests/hang.h"
#include "tests/random.h"
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_INPUT 1024

static unsigned long run;

static void run_one(void)
{
	uint64_t state = (run + 1) * 0x9e3779b97f4a7c15u;
	uint8_t input[MAX_INPUT];
	size_t size;
	size_t i;

	for (i = 0; i < 8; i++)
		random_next(&state);
	size = 64 + random_next(&state) % (MAX_INPUT - 64);
	for (i = 0; i < size; i++)
		input[i] = (uint8_t)random_next(&state);
	LLVMFuzzerTestOneInput(input, size);
}

/*
 * The harness says what was wrong, or hangs.  This says how to repeat the run.
 */
static void failed(int sig)
{
	char text[96];
	int len =
		snprintf(text, sizeof(text),
			 "not ok 1 - signal %d in run %lu: fuzz_random 1 %lu\n",
			 sig, run, run);

	if (write(STDOUT_FILENO, text, (size_t)len) != len)
		_exit(2);
	_exit(1);
}

int main(int argc, char **argv)
{
	unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
	unsigned long first = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;

	printf("1..1\n");
	fflush(stdout);
	signal(SIGABRT, failed);
	signal(SIGALRM, failed);
	for (run = first; run < first + runs; run++) {
		alarm(HANG_SECONDS);
		run_one();
	}
	printf("ok 1 - %lu random sequences of calls agree with the model\n",
	       runs);
	return 0;
}
