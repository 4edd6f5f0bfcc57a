/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C (SIGINT), SIGTERM and SIGHUP.  They are blocked, and polled where the
 * work can be abandoned cleanly, so that they are safe at any time.
 */
#ifndef TOOLS_COMMON_STOP_H
#define TOOLS_COMMON_STOP_H

/* Call this first, before there are threads, or files to clean up. */
void stop_init(void);

/* The signal that asked us to stop, or 0.  For one thread only. */
int stop_requested(void);

/* From here on they end the process at once: it may wait forever. */
void stop_let_through(void);

/* Ends the process by the signal that stopped it, for the shell to see. */
void stop_die(void);

#endif /* TOOLS_COMMON_STOP_H */
