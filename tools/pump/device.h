/* SPDX-License-Identifier: MIT */
/*
 * A "device": moves bytes between a file and the frames without anybody
 * mapping them, as DMA would.  The kernel copies from file to file.  An address
 * of the device is a place in the frames' file.
 */
#ifndef TOOLS_PUMP_DEVICE_H
#define TOOLS_PUMP_DEVICE_H

#include <pkmap/dma.h>
#include <stdbool.h>
#include <sys/types.h>

struct device {
	struct pkmap_dma_device dma;
	int from;
	int to;		     /* its file position belongs to the device */
	unsigned int method; /* the first one that has not failed yet */
	bool failed_writing; /* which side an error came from */
};

/*
 * Copies up to @len bytes.  Returns how many; fewer than @len only at the end
 * of the file; -1 with errno and failed_writing set.
 */
ssize_t device_copy(struct device *dev, off_t from, off_t to, size_t len);

/* The system call that the device uses. */
const char *device_method(const struct device *dev);

#endif /* TOOLS_PUMP_DEVICE_H */
