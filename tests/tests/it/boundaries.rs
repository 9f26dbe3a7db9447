//! The dependency rules between crates (docs/architecture.md) and the rules for source files, as far as the compiler
//! does not enforce them. The tests read manifests and sources as text, and each failure names the file and the rule.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a crate may depend on within the workspace, and what it must never depend on.
struct Wall {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static str],
}

const SQL: &[&str] = &["diesel", "diesel-async", "diesel_migrations", "deadpool", "libsqlite3-sys", "tokio-postgres"];

/// The crates in order of their dependencies: each depends only on crates above it.
const WALLS: &[Wall] = &[
    Wall { name: "domain", may_use: &[], never: &["tokio", "axum", "async-graphql", "reqwest", "futures-util"] },
    Wall { name: "db", may_use: &["domain"], never: &["axum", "async-graphql", "reqwest"] },
    Wall { name: "outbound", may_use: &["domain"], never: &["axum", "async-graphql"] },
    Wall { name: "engine", may_use: &["domain", "outbound"], never: &["axum", "async-graphql", "reqwest"] },
    Wall {
        name: "services",
        may_use: &["domain", "db", "engine"],
        never: &["axum", "async-graphql", "http", "hyper", "reqwest", "tower", "tower-http"],
    },
    Wall {
        name: "ingest",
        may_use: &["domain", "services", "outbound", "engine"],
        never: &["axum", "async-graphql", "reqwest"],
    },
    Wall {
        name: "delivery",
        may_use: &["domain", "services", "outbound", "engine"],
        never: &["axum", "async-graphql", "reqwest"],
    },
    Wall { name: "api-macros", may_use: &[], never: &["tokio", "axum", "async-graphql", "reqwest"] },
    Wall { name: "api", may_use: &["domain", "services", "api-macros"], never: &["reqwest", "lettre"] },
    Wall { name: "rest-compat", may_use: &["api"], never: &["async-graphql", "async-graphql-axum", "reqwest"] },
    Wall {
        name: "server",
        may_use: &["domain", "db", "outbound", "engine", "services", "ingest", "delivery", "api", "rest-compat"],
        never: &["reqwest"],
    },
];

/// Third-party crates that only some crates of the workspace may use. Tests and benchmarks are outside the product:
/// they call it through its public interfaces, and compare it with the libraries that it is built on.
const EXCLUSIVE: &[(&[&str], &[&str])] = &[
    (SQL, &["db", "test-support", "tests", "benches"]),
    (&["reqwest"], &["outbound", "tests", "benches"]),
    (&["lettre"], &["outbound"]),
    (&["mail-parser"], &["delivery"]),
    (&["chrono-tz"], &["domain"]),
    (&["async-graphql"], &["api", "tests"]),
    (&["async-graphql-axum", "dataloader"], &["api"]),
    (&["axum"], &["api", "rest-compat", "server", "tests", "benches"]),
    (&["clap"], &["server", "benches"]),
];

/// The only places in which the product may call a disallowed method (clippy.toml).
const MAY_CALL_DISALLOWED: &[&str] = &[
    "services/src/runtime/clock.rs",      // the clock
    "services/src/runtime/randomness.rs", // randomness
    "outbound/src/client.rs",             // the guarded HTTP client
];

/// Code files longer than [`LINES_MAX`], each with the reason why it is not split.
const MAY_BE_LONG: &[(&str, &str)] = &[];
const LINES_MAX: usize = 400;

/// File names that do not describe the content of a file.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above this crate").to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

fn manifest(path: &Path) -> toml::Table {
    read(path).parse().unwrap_or_else(|error| panic!("{} is not a manifest: {error}", path.display()))
}

fn members() -> Vec<String> {
    let workspace = manifest(&root().join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().expect("a list of members");
    members.iter().map(|member| member.as_str().expect("a name").to_owned()).collect()
}

fn crate_manifest(name: &str) -> toml::Table {
    manifest(&root().join(name).join("Cargo.toml"))
}

/// The names in `[dependencies]` and `[build-dependencies]`, which are the dependencies of the product.
fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = crate_manifest(name);
    let names = |section| manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
    names("dependencies").chain(names("build-dependencies")).cloned().collect()
}

/// Every `.rs` file of the workspace with its path from the root, sorted by path.
fn sources() -> Vec<(String, String)> {
    fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()) {
            let is_excluded = entry.file_name().is_some_and(|name| name == "node_modules" || name == "target");
            if entry.is_dir() && !is_excluded {
                collect(&entry, found);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                found.push(entry);
            }
        }
    }
    let root = root();
    let mut found = Vec::new();
    for member in members() {
        collect(&root.join(member), &mut found);
    }
    found.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        (name, read(&path))
    };
    found.into_iter().map(named).collect()
}

/// Whether a file contains only tests and is therefore not part of the product.
fn is_test(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"))
}

/// The file without its unit tests, which are at its end.
fn product_code(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(code, _)| code)
}

fn assert_none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

#[test]
fn each_crate_depends_only_on_the_crates_that_it_may() {
    let mut broken = Vec::new();
    for wall in WALLS {
        let imported = dependencies(wall.name);
        for used in imported.iter().filter_map(|name| name.strip_prefix("helpbot-")) {
            if !wall.may_use.contains(&used) {
                broken.push(format!("{} depends on {used}", wall.name));
            }
        }
        for name in wall.never.iter().filter(|name| imported.contains(**name)) {
            broken.push(format!("{} depends on {name}", wall.name));
        }
    }

    assert_none(&broken, "forbidden dependencies:");
}

#[test]
fn every_member_of_the_workspace_has_dependency_rules() {
    let walled = WALLS.iter().map(|wall| wall.name).chain(["test-support", "tests", "benches"]);

    let members: BTreeSet<String> = members().into_iter().collect();

    assert_eq!(members, walled.map(str::to_owned).collect());
}

#[test]
fn restricted_crates_are_used_only_where_they_may() {
    let mut broken = Vec::new();
    for user in members() {
        let imported = dependencies(&user);
        for (crates, owners) in EXCLUSIVE {
            for name in crates.iter().filter(|name| imported.contains(**name) && !owners.contains(&user.as_str())) {
                broken.push(format!("{user} depends on {name}, which only {} may use", owners.join(", ")));
            }
        }
    }

    assert_none(&broken, "restricted dependencies:");
}

#[test]
fn versions_features_and_lints_are_set_only_in_the_workspace() {
    // Tests may add a feature themselves, so that a feature that only tests need does not reach the product.
    // A dependency may be optional in a crate with a part that does not need it.
    let sections: [(&str, &[&str]); 3] = [
        ("dependencies", &["workspace", "optional"]),
        ("build-dependencies", &["workspace"]),
        ("dev-dependencies", &["workspace", "features"]),
    ];
    let mut broken = Vec::new();
    for name in members() {
        let manifest = crate_manifest(&name);
        for (section, allowed) in sections {
            for (dependency, value) in manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
                let keys: Vec<&str> =
                    value.as_table().into_iter().flat_map(toml::Table::keys).map(String::as_str).collect();
                if !keys.contains(&"workspace") || keys.iter().any(|key| !allowed.contains(key)) {
                    broken.push(format!("{name}: {dependency} may only have the keys {}", allowed.join(" and ")));
                }
            }
        }
        if manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&toml::Value::Boolean(true)) {
            broken.push(format!("{name} does not use the lints of the workspace"));
        }
    }

    assert_none(&broken, "manifests with settings of their own:");
}

#[test]
fn every_file_begins_with_a_module_header() {
    let broken: Vec<String> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();

    assert_none(&broken, "files without a `//!` header:");
}

#[test]
fn no_file_is_too_long() {
    let lines = |text: &str| product_code(text).lines().count();
    let files: Vec<(String, usize)> = sources()
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(path, text)| (path, lines(&text)))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .collect();

    let is_listed = |path: &str| MAY_BE_LONG.iter().any(|(listed, _)| *listed == path);
    let broken: Vec<String> =
        files.iter().filter(|(path, _)| !is_listed(path)).map(|(path, lines)| format!("{path}: {lines}")).collect();
    assert_none(&broken, "files over 400 lines of code; split them by noun:");
    let stale: Vec<String> = MAY_BE_LONG
        .iter()
        .filter(|(listed, _)| !files.iter().any(|(path, _)| path == listed))
        .map(|(listed, _)| (*listed).to_owned())
        .collect();
    assert_none(&stale, "exceptions that are no longer needed:");
}

#[test]
fn every_file_name_describes_its_content() {
    let is_empty = |path: &str| path.split('/').any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")));
    let broken: Vec<String> = sources().into_iter().map(|(path, _)| path).filter(|path| is_empty(path)).collect();

    assert_none(&broken, "file names that describe nothing:");
}

#[test]
fn the_product_never_unwraps() {
    let mut broken = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_test(path)) {
        for (number, line) in product_code(&text).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains(".unwrap()") {
                broken.push(format!("{path}:{}", number + 1));
            }
        }
    }

    assert_none(&broken, "`unwrap()` outside tests; `expect` says why it cannot fail:");
}

#[test]
fn the_clock_randomness_and_the_internet_are_each_used_in_one_place() {
    // The text is split, so that this file does not match.
    let lint = concat!("clippy::", "disallowed_methods");
    let mut broken = Vec::new();
    for (path, text) in sources() {
        if !is_test(&path) && text.contains(lint) && !MAY_CALL_DISALLOWED.contains(&path.as_str()) {
            broken.push(format!("{path} calls a disallowed method"));
        }
        if text.contains(&format!("allow({lint}")) {
            broken.push(format!("{path} allows instead of expecting"));
        }
    }

    assert_none(&broken, "pass the clock, randomness and HTTP clients as arguments:");
}

/// Modules that are useful only together with another one, in whose tests they are included.
const TESTED_WITH: [(&str, &str); 9] = [
    ("attempts", "deliveries"),
    ("batch", "batches"),
    ("outbox", "deliveries"),
    ("replays", "webhooks"),
    ("lists", "conversations"),
    ("marks", "copying"),
    ("rows", "copying"),
    ("tables", "copying"),
    ("site_deletion", "sites"),
];

#[test]
fn each_module_of_queries_has_tests_on_both_databases() {
    let is_query =
        |text: &str| product_code(text).contains("(c: &mut Conn") || product_code(text).contains("c: &mut Conn,");
    let sources = sources();
    let nouns = sources.iter().filter_map(|(path, text)| {
        let name = path.strip_prefix("db/src/").filter(|_| is_query(text))?;
        // `conversations/mod.rs` has the name of its folder.
        Some(name.trim_end_matches("/mod.rs").trim_end_matches(".rs").rsplit('/').next().unwrap_or(name))
    });

    let module = |noun: &str| {
        TESTED_WITH.iter().find(|(part, _)| *part == noun).map_or(noun.to_owned(), |(_, whole)| (*whole).to_owned())
    };
    let is_tested = |noun: &str| sources.iter().any(|(path, _)| *path == format!("db/tests/it/{}.rs", module(noun)));
    let is_untested = |noun: &&str| !is_tested(noun);
    let untested: BTreeSet<String> = nouns.filter(is_untested).map(str::to_owned).collect();

    assert_none(&untested.into_iter().collect::<Vec<_>>(), "modules of db/src without a module in db/tests/it:");
}

#[test]
fn migrations_come_in_pairs_for_both_databases() {
    let names = |backend: &str| -> BTreeSet<String> {
        let directory = root().join("migrations").join(backend);
        let steps = fs::read_dir(directory).expect("a directory of steps").map(|entry| entry.expect("an entry").path());
        steps
            .flat_map(|step| ["up.sql", "down.sql"].map(|file| step.join(file)))
            .filter(|file| file.is_file())
            .map(|file| {
                let step = file.parent().and_then(Path::file_name).expect("a step").to_string_lossy().into_owned();
                format!("{step}/{}", file.file_name().expect("a name").to_string_lossy())
            })
            .collect()
    };

    let (sqlite, postgres) = (names("sqlite"), names("postgres"));

    assert_eq!(sqlite, postgres);
    assert!(sqlite.len() >= 2 && sqlite.len() % 2 == 0, "each migration has an up.sql and a down.sql: {sqlite:?}");
}
