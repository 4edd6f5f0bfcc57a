/* SPDX-License-Identifier: MIT */
/*
 * The drivers of the pump's devices.  A driver gives a frame to its device,
 * which moves the bytes, and takes it back.  Only then may CPUs use the frame
 * again.
 */
#ifndef TOOLS_PUMP_DRIVER_H
#define TOOLS_PUMP_DRIVER_H

#include "device.h"
#include "pool.h"
#include "tools/common/failure.h"

struct driver {
	struct device device;
	struct pkmap_dma *dma;
	size_t page_size;
	const char *path; /* of the file that the device reads or writes */
	struct failure *failure;
};

/* The device reads a part of the file into a frame.  Returns 0 or fails. */
int driver_fill(struct driver *driver, const struct work *work);

/* Fails because the file has become shorter. */
int driver_too_short(struct driver *driver);

/* The device writes a frame to a part of the file.  Returns 0 or fails. */
int driver_drain(struct driver *driver, const struct work *work);

#endif /* TOOLS_PUMP_DRIVER_H */
