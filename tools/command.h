/* SPDX-License-Identifier: MIT */
/* The subcommands of pkmap.  Each returns the exit status. */
#ifndef COMMAND_H
#define COMMAND_H

/* What a wrong command line exits with, as against 1 for work that failed. */
#define EXIT_USAGE 2

int cmd_bench(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_pump(int argc, char **argv);
int cmd_replay(int argc, char **argv);

#endif /* COMMAND_H */
