// SPDX-License-Identifier: MIT
#include "driver.h"

#include <errno.h>
#include <pkmap/posix.h>

/* Returns 0 and the frame's DMA address, or fails. */
static int give(struct driver *driver, const struct pkmap_dma_buffer *frame,
		enum pkmap_dma_dir dir, off_t *addr)
{
	struct pkmap_dma_segment segment;
	int n = pkmap_dma_map(driver->dma, &driver->device.dma, frame, 1, dir,
			      &segment, 1);

	if (n < 0)
		return fail(driver->failure, 0,
			    "cannot give frame %lu to a device: %s", frame->pfn,
			    pkmap_strerror(n));
	*addr = (off_t)segment.addr;
	return 0;
}

static int take_back(struct driver *driver,
		     const struct pkmap_dma_buffer *frame,
		     enum pkmap_dma_dir dir)
{
	int err = pkmap_dma_unmap(driver->dma, &driver->device.dma, frame, 1,
				  dir);

	if (!err)
		return 0;
	return fail(driver->failure, 0,
		    "cannot take frame %lu back from a device: %s", frame->pfn,
		    pkmap_strerror(err));
}

int driver_too_short(struct driver *driver)
{
	return fail(driver->failure, 0, "%s became shorter while it was read",
		    driver->path);
}

static int read_part(struct driver *driver, const struct work *work, off_t addr)
{
	ssize_t n = device_copy(&driver->device, work->offset, addr, work->len);

	if (n < 0 && driver->device.failed_writing)
		return fail(driver->failure, errno, "cannot write the frames");
	if (n < 0)
		return fail(driver->failure, errno, "cannot read %s",
			    driver->path);
	return (size_t)n < work->len ? driver_too_short(driver) : 0;
}

/* Maps the whole frame even for less, so that no cache line is shared. */
int driver_fill(struct driver *driver, const struct work *work)
{
	const struct pkmap_dma_buffer frame = {
		.pfn = work->pfn,
		.len = driver->page_size,
	};
	off_t addr;
	int err;

	if (give(driver, &frame, PKMAP_DMA_FROM_DEVICE, &addr))
		return -1;
	err = read_part(driver, work, addr);
	if (take_back(driver, &frame, PKMAP_DMA_FROM_DEVICE))
		return -1;
	return err;
}

static int write_part(struct driver *driver, const struct work *work,
		      off_t addr)
{
	ssize_t n = device_copy(&driver->device, addr, work->offset, work->len);

	if (n < 0 && driver->device.failed_writing)
		return fail(driver->failure, errno, "cannot write %s",
			    driver->path);
	if (n < (ssize_t)work->len)
		return fail(driver->failure, n < 0 ? errno : EIO,
			    "cannot read the frames");
	return 0;
}

int driver_drain(struct driver *driver, const struct work *work)
{
	const struct pkmap_dma_buffer frame = {
		.pfn = work->pfn,
		.len = work->len,
	};
	off_t addr;
	int err;

	if (give(driver, &frame, PKMAP_DMA_TO_DEVICE, &addr))
		return -1;
	err = write_part(driver, work, addr);
	if (take_back(driver, &frame, PKMAP_DMA_TO_DEVICE))
		return -1;
	return err;
}
