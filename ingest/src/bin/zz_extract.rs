//! Scratch: prints what is read from files. Not committed.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]
#![allow(missing_docs)]
use helpbot_ingest::extract::{self, Item};
fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "extract" && a != "--json").collect();
    #[cfg(feature = "pdf")]
    if args.first().is_some_and(|a| a == helpbot_ingest::pdf::CHILD_ARGUMENT) {
        std::process::exit(if helpbot_ingest::pdf::serve(&args[1..]) == std::process::ExitCode::SUCCESS {
            0
        } else {
            1
        });
    }
    let all = std::env::var("ALL").is_ok();
    for path in &args {
        let name = std::path::Path::new(path).file_name().unwrap().to_string_lossy().into_owned();
        match extract::file(&name, &std::fs::read(path).unwrap()) {
            Ok(page) => {
                if all {
                    println!("{}", serde_json::json!({"title": page.title, "lang": page.language}));
                }
                for item in page.items.iter().chain(&page.facts) {
                    match item {
                        Item::Pair { question, answer, context, .. } => {
                            if all {
                                println!(
                                    "{}",
                                    serde_json::json!({"page": name, "q": question, "md": answer, "a": item.answer_text(), "context": context})
                                )
                            } else {
                                println!(
                                    "{}",
                                    serde_json::json!({"page": name, "q": question, "a": item.answer_text()})
                                )
                            }
                        }
                        Item::Passage { heading, text, .. } => {
                            if all {
                                println!("{}", serde_json::json!({"heading": heading, "text": text}))
                            }
                        }
                    }
                }
            }
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
}
