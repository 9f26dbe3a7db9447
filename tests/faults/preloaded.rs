//! Small libraries in C that stand before the system's in a node: they are compiled here, because SQLite needs a C compiler too.

use std::path::Path;
use std::process::Command;

/// Adds as many seconds as `CLOCK_OFFSET_S` says to the time of day. Other clocks stay right. It asks the kernel itself, because
/// the allocator of the program reads a clock before other libraries can be found.
pub const WRONG_CLOCK: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    const char *text = getenv("CLOCK_OFFSET_S");
    return text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    long result = syscall(SYS_clock_gettime, clock, at);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    long result = syscall(SYS_gettimeofday, at, zone);
    if (result == 0 && at) at->tv_sec += offset();
    return result;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"#;

/// Compiles a library. Returns its file, for `LD_PRELOAD`.
pub fn compile(directory: &Path, name: &str, library: &str) -> String {
    let (source, target) = (directory.join(name).with_extension("c"), directory.join(name).with_extension("so"));
    std::fs::write(&source, library).expect("written");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&target).arg(&source).arg("-ldl");
    let output = compiler.output().expect("a C compiler, which SQLite needs too");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.to_string_lossy().into_owned()
}
