// SPDX-License-Identifier: MIT
/*
 * text.c - codes in English.  The text of a misuse follows the call and what it
 * was called with: "pkmap_unmap: page 17: ...".
 */
#include <pkmap/posix.h>

const char *pkmap_strerror(int err)
{
	switch (err) {
	case 0:
		return "success";
	case PKMAP_EINVAL:
		return "invalid argument";
	case PKMAP_ERANGE:
		return "page or address outside of the window";
	case PKMAP_EBUSY:
		return "in use";
	case PKMAP_EAGAIN:
		return "would have to wait";
	case PKMAP_ETIMEDOUT:
		return "timed out";
	case PKMAP_EINTR:
		return "interrupted";
	case PKMAP_ENOMEM:
		return "out of memory or mappings";
	case PKMAP_EIO:
		return "input/output error";
	case PKMAP_ENOSPC:
		return "more segments than there is room for";
	default:
		return "unknown error";
	}
}

/* No default: the compiler warns of a code without a text. */
const char *pkmap_strmisuse(enum pkmap_misuse what)
{
	switch (what) {
	case PKMAP_MISUSE_IDLE:
		return "not mapped by anybody";
	case PKMAP_MISUSE_FREE:
		return "not mapped";
	case PKMAP_MISUSE_FOREIGN:
		return "address outside of the window";
	case PKMAP_MISUSE_UNALIGNED:
		return "address not the start of a page";
	case PKMAP_MISUSE_PFN:
		return "not a page of the window";
	case PKMAP_MISUSE_IMPOSSIBLE:
		return "more pages at once than there are slots";
	case PKMAP_MISUSE_LOCAL_ORDER:
		return "not the last local map on this CPU";
	case PKMAP_MISUSE_LOCAL_DEPTH:
		return "more local maps or DMA calls than slots for them";
	case PKMAP_MISUSE_IN_USE:
		return "in use";
	case PKMAP_MISUSE_SATURATED:
		return "mapped too many times at once; stays mapped for good";
	case PKMAP_MISUSE_LOCAL_OPEN:
		return "this CPU has a local map of it open";
	case PKMAP_MISUSE_LOCAL_LEFT:
		return "left open by a thread that ended";
	case PKMAP_MISUSE_CPU:
		return "the port named a CPU that the window does not have";
	}
	return "unknown misuse";
}

const char *pkmap_dma_strmisuse(enum pkmap_dma_misuse what)
{
	switch (what) {
	case PKMAP_DMA_UNMAP_UNMAPPED:
	case PKMAP_DMA_SYNC_UNMAPPED:
		return "no device has it";
	case PKMAP_DMA_UNMAP_LENGTH:
		return "the device was given another length";
	case PKMAP_DMA_UNMAP_DIRECTION:
	case PKMAP_DMA_SYNC_DIRECTION:
		return "the device was given it for another direction";
	case PKMAP_DMA_UNMAP_DEVICE:
	case PKMAP_DMA_SYNC_DEVICE:
		return "another device has it";
	case PKMAP_DMA_OVERLAP:
		return "a device already writes to it";
	case PKMAP_DMA_LOCAL_MAP:
		return "the CPU has a local map of it open";
	case PKMAP_DMA_NEVER_UNMAPPED:
	case PKMAP_DMA_FORGOTTEN:
		return "a device still has it";
	case PKMAP_DMA_TRACKER_FULL:
		return "devices have more buffers than the tracker has entries";
	}
	return "unknown misuse";
}
