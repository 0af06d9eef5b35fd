// SPDX-License-Identifier: Apache-2.0
#include "sandbox.hpp"

#if defined(__linux__)

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <vector>

namespace blendr::compute {

namespace {

std::string failed(char const* what)
{
    return std::string{what} + ": " + std::strerror(errno);  // NOLINT: one thread runs yet
}

std::string limit(int which, std::uint64_t to, char const* name)
{
    rlimit const now{to, to};
    return ::setrlimit(static_cast<__rlimit_resource_t>(which), &now) == 0 ? std::string{}
                                                                           : failed(name);
}

#if defined(__x86_64__)
constexpr std::uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t machine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t machine = 0;
#endif

/// Memory, threads, time, and the files that are open.
constexpr std::initializer_list<long> allowed{
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_ppoll,
    SYS_close,
    SYS_fstat,
    SYS_lseek,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_memfd_create,
    SYS_fcntl,
    SYS_dup,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_membarrier,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_getcpu,
    SYS_gettid,
    SYS_getpid,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    SYS_getrandom,
    SYS_sysinfo,
    SYS_uname,
    SYS_prlimit64,
    SYS_getrusage,
    SYS_eventfd2,
#if defined(__x86_64__)
    SYS_poll,
    SYS_arch_prctl,
    SYS_time,
#endif
};

/// What drivers and the C library ask for and can do without: they are told that they may not.
constexpr std::initializer_list<long> denied{
    SYS_openat,        SYS_newfstatat,    SYS_statx,         SYS_readlinkat,
    SYS_faccessat,     SYS_faccessat2,    SYS_getdents64,    SYS_socket,
    SYS_socketpair,    SYS_connect,       SYS_bind,          SYS_listen,
    SYS_statfs,        SYS_ioctl,         SYS_getuid,        SYS_geteuid,
    SYS_getgid,        SYS_getegid,       SYS_getppid,       SYS_getcwd,
    SYS_flock,         SYS_mkdirat,       SYS_unlinkat,      SYS_sched_setscheduler,
    SYS_setpriority,   SYS_getpriority,   SYS_prctl,         SYS_mlock,
    SYS_mincore,       SYS_pipe2,         SYS_epoll_create1, SYS_shmget,
    SYS_set_mempolicy, SYS_get_mempolicy, SYS_mbind,
#if defined(__x86_64__)
    SYS_open,          SYS_stat,          SYS_lstat,         SYS_readlink,
    SYS_access,        SYS_mkdir,         SYS_unlink,        SYS_pipe,
#endif
};

/// What a hardware driver needs beyond that.
constexpr std::initializer_list<long> for_hardware{
    SYS_openat,     SYS_newfstatat, SYS_statx, SYS_readlinkat, SYS_faccessat,
    SYS_faccessat2, SYS_getdents64, SYS_ioctl, SYS_getuid,     SYS_geteuid,
    SYS_getgid,     SYS_getegid,    SYS_mlock,
#if defined(__x86_64__)
    SYS_open,       SYS_stat,       SYS_lstat, SYS_readlink,   SYS_access,
#endif
};

class filter {
public:
    void statement(unsigned code, std::uint32_t k)
    {
        code_.push_back({static_cast<std::uint16_t>(code), 0, 0, k});
    }
    void unless_equal(std::uint32_t k, std::uint8_t skip)
    {
        code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, skip, k});
    }
    void answer(long call, std::uint32_t how)
    {
        unless_equal(static_cast<std::uint32_t>(call), 1);
        statement(BPF_RET | BPF_K, how);
    }
    /// Only when all of `bits` are set in the low word of the first argument.
    void answer_if_flags(long call, std::uint32_t bits, std::uint32_t how, std::uint32_t otherwise)
    {
        unless_equal(static_cast<std::uint32_t>(call), 5);
        statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args));
        statement(BPF_ALU | BPF_AND | BPF_K, bits);
        unless_equal(bits, 1);
        statement(BPF_RET | BPF_K, how);
        statement(BPF_RET | BPF_K, otherwise);
    }
    /// Only for one value of the low word of an argument.
    void answer_if_argument(long call, unsigned which, std::uint32_t value, std::uint32_t how,
                            std::uint32_t otherwise)
    {
        unless_equal(static_cast<std::uint32_t>(call), 4);
        statement(BPF_LD | BPF_W | BPF_ABS,
                  static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8 * which));
        unless_equal(value, 1);
        statement(BPF_RET | BPF_K, how);
        statement(BPF_RET | BPF_K, otherwise);
    }

    bool install()
    {
        sock_fprog const program{static_cast<unsigned short>(code_.size()), code_.data()};
        return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                         &program) == 0;
    }

private:
    std::vector<sock_filter> code_;
};

}  // namespace

std::string limit_resources(resource_limits const& to, int parent)
{
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs");
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("no core dumps");
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return failed("end with the parent");
    if (parent != 0 && ::getppid() != parent) return "the parent has ended";
    std::string bad = limit(RLIMIT_CORE, 0, "no core dumps");
    if (bad.empty()) bad = limit(RLIMIT_NOFILE, to.files, "open files");
    if (bad.empty() && to.cpu_seconds != 0)
        bad = limit(RLIMIT_CPU, to.cpu_seconds, "processor time");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BLENDR_SHADOW_MEMORY 1
#endif
#endif
#if !defined(BLENDR_SHADOW_MEMORY)  // a sanitizer's shadow takes terabytes of addresses
    if (bad.empty() && to.address_space_bytes != 0)
        bad = limit(RLIMIT_AS, to.address_space_bytes, "address space");
#endif
#endif
    return bad;
}

std::string lock_down(bool hardware)
{
    if (machine == 0) return "no filter is written for this processor";
    constexpr std::uint32_t allow = SECCOMP_RET_ALLOW, end = SECCOMP_RET_KILL_PROCESS,
                            may_not = SECCOMP_RET_ERRNO | EACCES,
                            unknown = SECCOMP_RET_ERRNO | ENOSYS;
    constexpr std::uint32_t thread = CLONE_VM | CLONE_THREAD;
    filter f;
    f.statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    f.unless_equal(machine, 1);
    f.statement(BPF_JMP | BPF_JA, 1);
    f.statement(BPF_RET | BPF_K, end);
    f.statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    for (auto const call : allowed) f.answer(call, allow);
    f.answer_if_flags(SYS_clone, thread, allow, end);
    f.answer(SYS_clone3, unknown);  // its flags cannot be looked at; the C library then uses clone
    f.answer_if_argument(SYS_prctl, 0, PR_SET_NAME, allow, may_not);
    f.answer_if_argument(SYS_tgkill, 0, static_cast<std::uint32_t>(::getpid()), allow, end);
    if (hardware)
        for (auto const call : for_hardware) f.answer(call, allow);
    for (auto const call : denied) f.answer(call, may_not);
    f.statement(BPF_RET | BPF_K, end);
    return f.install() ? std::string{} : failed("seccomp");
}

}  // namespace blendr::compute

#else

namespace blendr::compute {

std::string limit_resources(resource_limits const&, int) { return "only Linux can hold a worker"; }
std::string lock_down(bool) { return "only Linux can hold a worker"; }

}  // namespace blendr::compute

#endif
