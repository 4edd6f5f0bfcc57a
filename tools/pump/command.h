/* SPDX-License-Identifier: MIT */
/* pkmap pump. */
#ifndef TOOLS_PUMP_COMMAND_H
#define TOOLS_PUMP_COMMAND_H

/* Returns the exit status. */
int cmd_pump(int argc, char **argv);

#endif /* TOOLS_PUMP_COMMAND_H */
