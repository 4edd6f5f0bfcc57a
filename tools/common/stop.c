// SPDX-License-Identifier: MIT
#include "stop.h"

#include <signal.h>
#include <time.h>

static sigset_t stop_signals;
static int stop_signal;

/* Signals that were ignored (nohup, background jobs) stay ignored. */
static void hold_back(int sig)
{
	struct sigaction action;

	sigaction(sig, NULL, &action);
	if (action.sa_handler != SIG_IGN)
		sigaddset(&stop_signals, sig);
}

void stop_init(void)
{
	sigemptyset(&stop_signals);
	hold_back(SIGINT);
	hold_back(SIGTERM);
	hold_back(SIGHUP);
	sigprocmask(SIG_BLOCK, &stop_signals, NULL);
}

int stop_requested(void)
{
	static const struct timespec at_once;
	int sig;

	if (stop_signal)
		return stop_signal;
	sig = sigtimedwait(&stop_signals, NULL, &at_once);
	if (sig > 0)
		stop_signal = sig;
	return stop_signal;
}

void stop_let_through(void)
{
	sigprocmask(SIG_UNBLOCK, &stop_signals, NULL);
}

void stop_die(void)
{
	signal(stop_signal, SIG_DFL);
	raise(stop_signal);
	stop_let_through();
}
