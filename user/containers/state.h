/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What engines write down, from buffers: no file is opened here. Untrusted: each reads what it understands into f and
 * leaves the rest. -EBADMSG, and err says what was wrong and where; -ENOMEM. The ID is the caller's, from the path.
 */
#ifndef MW_STATE_H
#define MW_STATE_H

#include "containers/found.h"

/* runc, and all engines above it: state.json. Annotations come with it. */
int mw_state_runc(const char *text, size_t n, struct mw_found *f, struct mw_error *err);
/* crun: status. */
int mw_state_crun(const char *text, size_t n, struct mw_found *f, struct mw_error *err);
/* An OCI bundle's config.json: annotations. */
int mw_state_oci(const char *text, size_t n, struct mw_found *f, struct mw_error *err);
/* docker's config.v2.json: name, image, labels. */
int mw_state_docker(const char *text, size_t n, struct mw_found *f, struct mw_error *err);
/* machined's /run/systemd/machines/NAME. A virtual machine is -ENOENT. */
int mw_state_machine(const char *text, size_t n, struct mw_found *f, struct mw_error *err);
/* POD_NAMESPACE_CONTAINER-ID.log, of /var/log/containers: also fills in the ID. */
bool mw_state_link(const char *file, struct mw_found *f);

/* containers/storage's containers.json (podman, cri-o): who bears which name. */
typedef int mw_state_name_fn(const char *id, const char *name, const char *image, void *arg);
int mw_state_storage(const char *text, size_t n, mw_state_name_fn *fn, void *arg, struct mw_error *err);

/* Names that Kubernetes put into annotations and labels; the engine, where an annotation tells cri-o from podman. */
void mw_state_kubernetes(struct mw_found *f);

#endif
