// SPDX-License-Identifier: MIT
/* pkmap pump - copies a file through high memory, and verifies the copy. */
#include "pump.h"

#include "command.h"
#include "tools/common/output.h"
#include "tools/common/stop.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * The copy is verified by reading both files again.  The summary is printed
 * before OUT is committed: if that fails, OUT stays as it was.
 */
static int pump(const struct pump_options *options, struct progress *progress,
		struct failure *failure, struct pump_result *result)
{
	struct output out;
	struct input in;
	int err;

	if (input_open(&in, options->in, failure))
		return -1;
	err = output_open(&out, options->out, &in, failure);
	if (err)
		goto close_in;
	err = output_grow(&out, in.size, failure);
	if (!err)
		err = pipeline_run(options, in.fd, out.fd, in.size, progress,
				   failure, result);
	if (!err)
		err = output_flush(&out, failure);
	if (!err)
		err = compare_files(options, in.fd, out.fd, in.size, progress,
				    failure, result->sha256);
	if (!err && stop_requested())
		err = fail(failure, 0, "interrupted");
	progress_clear(progress);
	if (!err)
		err = summary_print(options, result, failure);
	if (!err)
		err = output_commit(&out, failure);
	output_close(&out);
close_in:
	input_close(&in);
	return err;
}

int pump_copy(int in, int out, off_t size, size_t page_size, double *seconds,
	      struct failure *failure)
{
	const struct pump_options options = {
		.in = "bench", /* for messages */
		.out = "bench",
		.slots = 64,
		.frames = 256,
		.threads = 1,
		.page_size = page_size,
		.quiet = true,
	};
	struct progress progress = { 0 };
	struct pump_result result;

	if (pipeline_run(&options, in, out, size, &progress, failure, &result))
		return -1;
	*seconds = result.seconds;
	return 0;
}

int cmd_pump(int argc, char **argv)
{
	struct failure failure = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct pump_options options;
	struct pump_result result;
	struct progress progress;
	int err;

	pump_parse(argc, argv, &options);
	stop_init();
	progress_init(&progress, options.quiet);
	err = pump(&options, &progress, &failure, &result);
	if (!err)
		return EXIT_SUCCESS;
	fprintf(stderr, "pkmap pump: %s\n", failure.text);
	if (stop_requested())
		stop_die();
	return EXIT_FAILURE;
}
