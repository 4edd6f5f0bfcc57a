/* SPDX-License-Identifier: MIT */
/* pkmap bench. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

/* Returns the exit status. */
int cmd_bench(int argc, char **argv);

#endif /* BENCH_COMMAND_H */
