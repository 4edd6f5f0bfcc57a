/* SPDX-License-Identifier: MIT */
/* The subcommands of pkmap.  Each returns the exit status. */
#ifndef COMMAND_H
#define COMMAND_H

int cmd_bench(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_replay(int argc, char **argv);

#endif /* COMMAND_H */
