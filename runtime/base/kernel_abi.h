// Constants and structures of the kernel's interface that the distribution's headers lack or contradict each
// other about. Shared with capsule-init, so: no C library, no C++ library, only types and numbers. Linux 6.x
// UAPI headers are the source.
#pragma once

#include <linux/close_range.h>
#include <linux/mount.h>  // never together with <sys/mount.h>: glibc 2.36 declares the same structures
#include <linux/openat2.h>
#include <linux/sched.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_NO_AUTOMOUNT
#define AT_NO_AUTOMOUNT 0x800
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020  // Linux 6.3
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U  // Linux 6.8
#endif

namespace capsule::abi {

inline constexpr long kProcSuperMagic = 0x9fa0;
inline constexpr long kDevptsSuperMagic = 0x1cd1;
inline constexpr long kSysfsMagic = 0x62656572;
inline constexpr long kTmpfsMagic = 0x01021994;
inline constexpr long kPidfsMagic = 0x50494446;
inline constexpr long kCgroup2SuperMagic = 0x63677270;
inline constexpr unsigned long kProcRootInode = 1;
inline constexpr unsigned long kPtmxInode = 2;  // of every devpts instance (fs/devpts/inode.c)

}  // namespace capsule::abi
