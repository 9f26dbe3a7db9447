//! Builds `web/` with npm in `OUT_DIR` and writes the list of files that `assets.rs` embeds. The checkout is not
//! changed. Without npm, or with `HELPBOT_SKIP_WEB`, the list is empty and the program explains why. When npm is
//! there and its build fails, for example because a file is over its size limit, the Rust build fails too: a
//! program without pages must be a choice.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The parts of `web/` that the build needs. A developer's `node_modules` and `dist` are not touched.
const INPUTS: [&str; 7] =
    ["package.json", "package-lock.json", "tsconfig.json", "scripts", "widget", "dashboard", "pages"];
/// Files and folders that the parts above import from. The built package in `client/dist` is not among them.
const MORE_INPUTS: [&str; 3] = ["text", "client/src", "client/operations.graphql"];
/// Copy of the lock file from which the packages in `OUT_DIR` were installed.
const INSTALLED: &str = "installed-lock.json";
/// Number of lines of npm's output that a failed build shows. The reason is at the end.
const SHOWN_LINES: usize = 15;

/// Why the pages are not built.
enum NoPages {
    /// It was chosen, or npm is missing. The program is built without pages.
    LeftOut(String),
    /// The build failed, with the last lines of its output.
    Failed(Vec<String>),
}

impl<E: Error> From<E> for NoPages {
    fn from(error: E) -> Self {
        NoPages::Failed(vec![error.to_string()])
    }
}

#[derive(Deserialize)]
struct Manifest {
    files: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    path: String,
    content_type: String,
    immutable: bool,
    template: bool,
    encodings: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    watch(&root);
    let (list, documents, reason) = match built(&root, &out) {
        Ok(list) => (list, fs::read_to_string(out.join("web/generated/documents.json"))?, String::new()),
        Err(NoPages::LeftOut(reason)) => {
            println!("cargo::warning=the widget and the dashboard are left out: {reason}");
            (String::new(), "{}".to_owned(), reason)
        }
        Err(NoPages::Failed(lines)) => {
            println!("cargo::error=the widget and the dashboard cannot be built:");
            lines.iter().for_each(|line| println!("cargo::error={line}"));
            println!("cargo::error=set HELPBOT_SKIP_WEB=1 to build the program without them");
            return Ok(());
        }
    };
    let source = format!(
        "/// The built files.\nstatic FILES: &[File] = &[{list}];\n\
         /// The GraphQL documents of the widget and the dashboard by their IDs, as JSON.\n\
         pub const DOCUMENTS: &str = {documents:?};\n\
         /// Why there are no files.\nconst MISSING_REASON: &str = {reason:?};\n"
    );
    fs::write(out.join("assets.rs"), source)?;
    Ok(())
}

fn watch(root: &Path) {
    println!("cargo::rerun-if-env-changed=HELPBOT_SKIP_WEB");
    println!("cargo::rerun-if-env-changed=HELPBOT_NPM");
    println!("cargo::rerun-if-changed=build.rs");
    let inputs = INPUTS.iter().chain(&MORE_INPUTS).map(|name| root.join("web").join(name));
    for path in inputs.chain([root.join("schema.graphql")]) {
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

/// Builds the files and returns their list as Rust source.
fn built(root: &Path, out: &Path) -> Result<String, NoPages> {
    if env::var_os("HELPBOT_SKIP_WEB").is_some() {
        return Err(NoPages::LeftOut("HELPBOT_SKIP_WEB is set".to_owned()));
    }
    if !root.join("web/package.json").is_file() {
        return Err(NoPages::LeftOut("web/package.json does not exist".to_owned()));
    }
    let web = out.join("web");
    copy_inputs(root, out)?;
    install(&web)?;
    npm(&web, &["run", "build", "--silent"])?;
    let dist = web.join("dist");
    let manifest: Manifest = serde_json::from_str(&fs::read_to_string(dist.join("manifest.json"))?)?;
    manifest.files.iter().try_fold(String::new(), |mut list, entry| {
        list.push_str(&item(&dist, entry)?);
        Ok(list)
    })
}

/// Copies the inputs again. Packages that an earlier build installed stay.
fn copy_inputs(root: &Path, out: &Path) -> std::io::Result<()> {
    let web = out.join("web");
    for name in INPUTS.iter().chain(&MORE_INPUTS) {
        let to = web.join(name);
        if to.is_dir() {
            fs::remove_dir_all(&to)?;
        }
        copy(&root.join("web").join(name), &to)?;
    }
    copy(&root.join("schema.graphql"), &out.join("schema.graphql"))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        Ok(())
    } else if from.is_file() {
        if let Some(directory) = to.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::copy(from, to).map(|_| ())
    } else {
        Ok(())
    }
}

/// Installs the packages of the lock file, unless they are installed.
fn install(web: &Path) -> Result<(), NoPages> {
    let lock = fs::read(web.join("package-lock.json"))?;
    let stamp = web.join(INSTALLED);
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // One retry, so that the build fails within seconds when the network is down.
    npm(web, &["ci", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1", "--fetch-timeout=30000"])?;
    fs::write(stamp, lock)?;
    Ok(())
}

fn npm(web: &Path, arguments: &[&str]) -> Result<(), NoPages> {
    let usual = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let program = env::var_os("HELPBOT_NPM").unwrap_or_else(|| usual.into());
    let output = Command::new(program).args(arguments).current_dir(web).output();
    let output = output.map_err(|error| NoPages::LeftOut(format!("npm does not start ({error})")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
    let summary = format!("npm {} failed ({})", arguments[0], output.status);
    Err(NoPages::Failed(std::iter::once(summary).chain(last.iter().map(|line| (*line).to_owned())).collect()))
}

fn item(dist: &Path, entry: &Entry) -> std::io::Result<String> {
    let plain = dist.join(&entry.path);
    let hash = Sha256::digest(fs::read(&plain)?);
    let tag = hash.iter().take(12).fold(String::new(), |mut tag, byte| {
        let _ = write!(tag, "{byte:02x}");
        tag
    });
    let variant = |encoding: &str| {
        if entry.encodings.iter().any(|known| known == encoding) {
            format!("Some(include_bytes!({:?}))", format!("{}.{encoding}", plain.display()))
        } else {
            "None".to_owned()
        }
    };
    // The program can inflate files, so only the compressed form is embedded, at a third of the size.
    let is_inflated = entry.encodings.iter().any(|known| known == "gz");
    let as_it_is = match is_inflated {
        true => "None".to_owned(),
        false => format!("Some(include_bytes!({:?}))", plain.display().to_string()),
    };
    Ok(format!(
        "\n    File {{ path: {:?}, content_type: {:?}, is_immutable: {}, is_template: {}, etag: \"W/\\\"{tag}\\\"\", \
         plain: {as_it_is}, br: {}, gz: {} }},",
        entry.path,
        entry.content_type,
        entry.immutable,
        entry.template,
        variant("br"),
        variant("gz"),
    ))
}
