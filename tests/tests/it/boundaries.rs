//! The walls of the house (DESIGN, section 1), held where the compiler does not hold them: which
//! room may depend on what, and how every source file begins and ends. Reads manifests and
//! sources as text; each failure names the file and the rule.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a room may import of the house, and what it must never import of the world.
struct Wall {
    room: &'static str,
    rooms: &'static [&'static str],
    never: &'static [&'static str],
}

const SQL: &[&str] = &["diesel", "diesel-async", "diesel_migrations", "deadpool", "libsqlite3-sys", "tokio-postgres"];

/// In the order of the house: a room only imports rooms above it.
const WALLS: &[Wall] = &[
    Wall { room: "domain", rooms: &[], never: &["tokio", "axum", "async-graphql", "reqwest", "futures-util"] },
    Wall { room: "db", rooms: &["domain"], never: &["axum", "async-graphql", "reqwest"] },
    Wall { room: "outbound", rooms: &["domain"], never: &["axum", "async-graphql"] },
    Wall { room: "engine", rooms: &["domain", "outbound"], never: &["axum", "async-graphql", "reqwest"] },
    Wall {
        room: "services",
        rooms: &["domain", "db", "engine"],
        never: &["axum", "async-graphql", "http", "hyper", "reqwest", "tower", "tower-http"],
    },
    Wall {
        room: "ingest",
        rooms: &["domain", "services", "outbound", "engine"],
        never: &["axum", "async-graphql", "reqwest"],
    },
    Wall {
        room: "delivery",
        rooms: &["domain", "services", "outbound", "engine"],
        never: &["axum", "async-graphql", "reqwest"],
    },
    Wall { room: "api", rooms: &["domain", "services"], never: &["reqwest", "lettre"] },
    Wall { room: "rest-compat", rooms: &["api"], never: &["async-graphql", "async-graphql-axum", "reqwest"] },
    Wall {
        room: "server",
        rooms: &["domain", "db", "outbound", "engine", "services", "ingest", "delivery", "api", "rest-compat"],
        never: &["reqwest"],
    },
];

/// Crates that belong to some rooms alone. Tests and benches stand outside the product: they
/// speak to it from outside, and measure it beside what it is built on.
const EXCLUSIVE: &[(&[&str], &[&str])] = &[
    (SQL, &["db", "test-support", "tests", "benches"]),
    (&["reqwest"], &["outbound", "tests", "benches"]),
    (&["lettre"], &["outbound"]),
    (&["async-graphql"], &["api", "tests"]),
    (&["async-graphql-axum", "dataloader"], &["api"]),
    (&["axum"], &["api", "rest-compat", "server", "tests", "benches"]),
    (&["clap"], &["server", "benches"]),
];

/// Where the product may call a disallowed method (clippy.toml): the one place that others ask.
const MAY_CALL_DISALLOWED: &[&str] = &[
    "services/src/runtime/clock.rs",      // the time
    "services/src/runtime/randomness.rs", // randomness
    "outbound/src/client.rs",             // the guarded HTTP client
];

/// Code files longer than [`LINES_MAX`], each with the reason why it is not split.
const MAY_BE_LONG: &[(&str, &str)] = &[];
const LINES_MAX: usize = 400;

/// Names that say nothing about what a file is for.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above this crate").to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

fn manifest(path: &Path) -> toml::Table {
    read(path).parse().unwrap_or_else(|error| panic!("{} is no manifest: {error}", path.display()))
}

fn members() -> Vec<String> {
    let workspace = manifest(&root().join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().expect("a list of members");
    members.iter().map(|member| member.as_str().expect("a name").to_owned()).collect()
}

fn room_manifest(room: &str) -> toml::Table {
    manifest(&root().join(room).join("Cargo.toml"))
}

/// The names under `[dependencies]` and `[build-dependencies]`: what the product is made with.
fn dependencies(room: &str) -> BTreeSet<String> {
    let manifest = room_manifest(room);
    let names = |section| manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
    names("dependencies").chain(names("build-dependencies")).cloned().collect()
}

/// Each `.rs` file of the workspace with its path from the root, in order.
fn sources() -> Vec<(String, String)> {
    fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()) {
            let is_foreign = entry.file_name().is_some_and(|name| name == "node_modules" || name == "target");
            if entry.is_dir() && !is_foreign {
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

/// Whether a file holds only tests: nothing of it is in the product.
fn is_test(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"))
}

/// The file without its unit tests, which come last.
fn product_code(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(code, _)| code)
}

fn assert_none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

#[test]
fn each_room_imports_only_the_rooms_that_it_may() {
    let mut broken = Vec::new();
    for wall in WALLS {
        let imported = dependencies(wall.room);
        for room in imported.iter().filter_map(|name| name.strip_prefix("helpbot-")) {
            if !wall.rooms.contains(&room) {
                broken.push(format!("{} imports {room}", wall.room));
            }
        }
        for name in wall.never.iter().filter(|name| imported.contains(**name)) {
            broken.push(format!("{} imports {name}", wall.room));
        }
    }

    assert_none(&broken, "walls are broken:");
}

#[test]
fn every_member_of_the_workspace_has_its_walls() {
    let walled = WALLS.iter().map(|wall| wall.room).chain(["test-support", "tests", "benches"]);

    let members: BTreeSet<String> = members().into_iter().collect();

    assert_eq!(members, walled.map(str::to_owned).collect());
}

#[test]
fn what_belongs_to_one_room_is_imported_by_no_other() {
    let mut broken = Vec::new();
    for room in members() {
        let imported = dependencies(&room);
        for (crates, owners) in EXCLUSIVE {
            for name in crates.iter().filter(|name| imported.contains(**name) && !owners.contains(&room.as_str())) {
                broken.push(format!("{room} imports {name}, which belongs to {}", owners.join(", ")));
            }
        }
    }

    assert_none(&broken, "rooms share what they must not:");
}

#[test]
fn versions_features_and_lints_stand_in_the_workspace_alone() {
    // A feature that only tests need must not reach the product, so tests may add it themselves.
    // What a part of a room does without is optional there.
    let sections: [(&str, &[&str]); 3] = [
        ("dependencies", &["workspace", "optional"]),
        ("build-dependencies", &["workspace"]),
        ("dev-dependencies", &["workspace", "features"]),
    ];
    let mut broken = Vec::new();
    for room in members() {
        let manifest = room_manifest(&room);
        for (section, may_say) in sections {
            for (name, value) in manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
                let says: Vec<&str> =
                    value.as_table().into_iter().flat_map(toml::Table::keys).map(String::as_str).collect();
                if !says.contains(&"workspace") || says.iter().any(|key| !may_say.contains(key)) {
                    broken.push(format!("{room}: {name} says more than {}", may_say.join(" and ")));
                }
            }
        }
        if manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&toml::Value::Boolean(true)) {
            broken.push(format!("{room} does not take the workspace's lints"));
        }
    }

    assert_none(&broken, "manifests decide for themselves:");
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let broken: Vec<String> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();

    assert_none(&broken, "files without a `//!` header:");
}

#[test]
fn no_file_outgrows_its_purpose() {
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
    assert_none(&stale, "exceptions that nothing needs any more:");
}

#[test]
fn no_file_is_named_for_nothing() {
    let is_empty = |path: &str| path.split('/').any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")));
    let broken: Vec<String> = sources().into_iter().map(|(path, _)| path).filter(|path| is_empty(path)).collect();

    assert_none(&broken, "names that say nothing:");
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
fn clock_randomness_and_the_internet_are_each_reached_in_one_place() {
    // In two parts, so that this file is none of the places.
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

    assert_none(&broken, "take time, chance and the internet as arguments:");
}

/// Parts of one noun that are of use only together, and tested so.
const TESTED_WITH: [(&str, &str); 3] = [("attempts", "deliveries"), ("outbox", "deliveries"), ("replays", "webhooks")];

#[test]
fn each_noun_of_the_database_has_its_tests_on_both() {
    let is_query =
        |text: &str| product_code(text).contains("(c: &mut Conn") || product_code(text).contains("c: &mut Conn,");
    let sources = sources();
    let nouns = sources.iter().filter_map(|(path, text)| {
        let name = path.strip_prefix("db/src/").filter(|_| is_query(text))?;
        Some(name.split(['/', '.']).next().unwrap_or(name))
    });

    let module = |noun: &str| {
        TESTED_WITH.iter().find(|(part, _)| *part == noun).map_or(noun.to_owned(), |(_, whole)| (*whole).to_owned())
    };
    let is_tested = |noun: &str| sources.iter().any(|(path, _)| *path == format!("db/tests/suite/{}.rs", module(noun)));
    let is_untested = |noun: &&str| !is_tested(noun);
    let untested: BTreeSet<String> = nouns.filter(is_untested).map(str::to_owned).collect();

    assert_none(&untested.into_iter().collect::<Vec<_>>(), "nouns of db/src without a module in db/tests/suite:");
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
    assert!(sqlite.len() >= 2 && sqlite.len() % 2 == 0, "each step has an up and a down: {sqlite:?}");
}
