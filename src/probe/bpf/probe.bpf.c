/* SPDX-License-Identifier: GPL-2.0 */
/* The one translation unit of the kernel side. User space loads only the front end that this kernel
 * has, so both live in one object and share the maps. */
/* clang-format off */
#include "kernel_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "event_abi.h"
#include "classify.bpf.h"
#include "probe_protocols.bpf.h"
#include "state.bpf.h"
#include "clock.bpf.h"
#include "payload.bpf.h"
#include "system_call.bpf.h"
#include "ring.bpf.h"
#include "stash.bpf.h"
#include "core.bpf.h"
#include "lifecycle.bpf.h"
#include "front_length.bpf.h"
#include "front_fexit.bpf.h"
#include "front_ring.bpf.h"
#include "front_inside.bpf.h"
#include "front_system_call.bpf.h"
/* clang-format on */

char LICENSE[] SEC("license") = "GPL";
