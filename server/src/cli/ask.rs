//! `helpbot ask`: asks a question through the same use case as a visitor, and prints the answer with its
//! sources. The question is stored and counted like every other one.

use clap::Args;
use helpbot_domain::ids::SiteId;
use helpbot_services::conversations::{self, AskResult, NewQuestion};
use serde_json::json;

use super::context::{self, CommandContext};
use super::failure::CommandFailure;
use super::output;

#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// The question.
    question: String,
    /// ID of the site. May be left out when there is only one site.
    #[arg(long)]
    site: Option<SiteId>,
    /// Session ID that the question belongs to. Defaults to a new session.
    #[arg(long)]
    session: Option<String>,
    /// Language of HelpBot's own sentences and of answers that a model server writes, as a BCP 47 tag, for example de.
    /// Defaults to the setting aiLanguage of the site; with auto, the language of the question is used. An unsupported
    /// tag is ignored.
    #[arg(long)]
    language: Option<String>,
    /// Also print the search results and how the decision was made.
    #[arg(long)]
    explain: bool,
}

pub(super) async fn run(context: &CommandContext, args: AskArgs) -> Result<(), CommandFailure> {
    let installation = context.open().await?;
    let site = context::site(&installation, args.site).await?;
    let new =
        NewQuestion { site: Some(site.id), question: args.question, session_id: args.session, language: args.language };
    let asked = conversations::ask(&installation.services, &installation.operator(), new, None).await?;
    if context.is_json {
        let mut value = json!({
            "conversationId": asked.conversation.id,
            "answer": asked.conversation.answer,
            "sources": conversations::public_sources(&asked.conversation.citations),
            "outcome": asked.conversation.outcome,
            "confidence": asked.conversation.confidence,
            "language": asked.conversation.language,
            "suggestions": asked.suggestions,
        });
        if args.explain {
            value["explain"] =
                serde_json::to_value(&asked.explain).map_err(|e| CommandFailure::failed(e.to_string()))?;
        }
        return output::json(&value);
    }
    let mut text = format!("{}\n", asked.conversation.answer);
    let sources = conversations::public_sources(&asked.conversation.citations);
    if !sources.is_empty() {
        text.push_str("\nFrom:\n");
        sources.iter().for_each(|source| text.push_str(&format!("  {source}\n")));
    }
    output::text(&text)?;
    if args.explain { explain(&asked) } else { Ok(()) }
}

fn explain(asked: &AskResult) -> Result<(), CommandFailure> {
    let explain = &asked.explain;
    output::text(&format!(
        "\nOutcome {:?}, confidence {:.3} (threshold {:.3}), written by {:?}{}\n",
        asked.conversation.outcome,
        asked.conversation.confidence,
        explain.threshold,
        explain.composer,
        explain.model_problem.as_ref().map(|problem| format!(" because {problem}")).unwrap_or_default(),
    ))?;
    let Some(retrieval) = &explain.retrieval else { return Ok(()) };
    for rule in &retrieval.rules {
        output::text(&format!("Answer rule {} ({}): {}\n", rule.id, rule.kind, rule.question))?;
    }
    let rows: Vec<Vec<String>> = retrieval
        .candidates
        .iter()
        .map(|found| {
            let semantic = found.semantic.map_or_else(|| "-".to_owned(), |cosine| format!("{cosine:.3}"));
            vec![
                format!("{:.3}", found.score),
                format!("{:.3}", found.lexical),
                semantic,
                format!("{:.2}", found.coverage),
                found.language.clone().unwrap_or_else(|| "-".to_owned()),
                found.chunk.title().to_owned(),
            ]
        })
        .collect();
    output::table(&["SCORE", "WORDS", "MEANING", "COVERED", "LANGUAGE", "ENTRY"], &rows)
}
