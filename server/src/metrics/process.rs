//! What the operating system says about this process: memory, processor time, threads and file descriptors. The names
//! are those that Prometheus' own client libraries use. Only Linux has `/proc`; elsewhere they are missing.

use std::fs;

use super::text::{MetricType, MetricsText};

/// Ticks per second in `/proc/PID/stat`. Linux has reported 100 to programs on every architecture since version 2.6.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process uses.
#[derive(Debug, Default, PartialEq)]
struct ProcessUsage {
    resident_bytes: Option<u64>,
    virtual_bytes: Option<u64>,
    threads: Option<u64>,
    cpu_seconds: Option<f64>,
    open_files: Option<u64>,
    max_files: Option<u64>,
}

/// Writes what this process uses.
pub(super) fn write(text: &mut MetricsText) {
    let of = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    let mut usage = read(&of("status"), &of("stat"), &of("limits"));
    usage.open_files = fs::read_dir("/proc/self/fd").ok().and_then(|open| u64::try_from(open.count()).ok());
    write_usage(text, &usage);
}

fn write_usage(text: &mut MetricsText, usage: &ProcessUsage) {
    let numbers = [
        ("process_resident_memory_bytes", "Memory that the process occupies.", usage.resident_bytes),
        ("process_virtual_memory_bytes", "Address space of the process.", usage.virtual_bytes),
        ("process_threads", "Threads of the process.", usage.threads),
        ("process_open_fds", "Open file descriptors.", usage.open_files),
        ("process_max_fds", "Maximum number of open file descriptors.", usage.max_files),
    ];
    for (name, help, value) in numbers {
        if let Some(value) = value {
            text.single(name, MetricType::Gauge, help, value);
        }
    }
    if let Some(seconds) = usage.cpu_seconds {
        text.single("process_cpu_seconds_total", MetricType::Counter, "Processor time of the process.", seconds);
    }
}

/// Reads the usage from the texts of `/proc/PID/status`, `/proc/PID/stat` and `/proc/PID/limits`.
fn read(status: &str, stat: &str, limits: &str) -> ProcessUsage {
    let kib = |name: &str| Some(field(status, name)?.split_whitespace().next()?.parse::<u64>().ok()? * 1024);
    // The name of the program, in parentheses, may contain spaces. The fields after it begin with the third.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |number: usize| Some(fields.get(number - 3)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    let max = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    ProcessUsage {
        resident_bytes: kib("VmRSS"),
        virtual_bytes: kib("VmSize"),
        threads: field(status, "Threads").and_then(|number| number.trim().parse().ok()),
        cpu_seconds: ticks(14).zip(ticks(15)).map(|(user, system)| user + system),
        open_files: None,
        max_files: max.and_then(|number| number.parse().ok()),
    }
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_of_linux_are_read() {
        let status = "Name:\thelpbot\nVmSize:\t  2048 kB\nVmRSS:\t    41 kB\nThreads:\t7\n";
        let stat = "12 (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 250 50 0 0 20 0 7 0 1000 0 0";
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 4096                 files\n";

        let usage = read(status, stat, limits);

        let expected = ProcessUsage {
            resident_bytes: Some(41 * 1024),
            virtual_bytes: Some(2048 * 1024),
            threads: Some(7),
            cpu_seconds: Some(3.0),
            open_files: None,
            max_files: Some(1024),
        };
        assert_eq!(usage, expected);
        assert_eq!(read("", "", ""), ProcessUsage::default());
    }
}
