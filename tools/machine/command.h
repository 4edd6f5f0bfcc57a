/* SPDX-License-Identifier: MIT */
/* pkmap explore and pkmap replay. */
#ifndef TOOLS_MACHINE_COMMAND_H
#define TOOLS_MACHINE_COMMAND_H

/* Both return the exit status. */
int cmd_explore(int argc, char **argv);
int cmd_replay(int argc, char **argv);

#endif /* TOOLS_MACHINE_COMMAND_H */
