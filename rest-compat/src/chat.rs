//! POST /chat, /feedback and /handoff: what a widget does for a visitor.

use axum::http::Method;
use helpbot_api::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::endpoint::{Credits, CreditsLeft, Doc, Endpoint, Variables};
use crate::error::Refusal;
use crate::request::{text, text_or_spelling};

const TAG: &str = "Chat";

/// POST /chat
pub(crate) struct Chat;

/// A visitor's question.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChatRequest {
    /// The question, 1 to 1000 Unicode code points without white space at its ends.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, min_length = 1, max_length = 1000,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$", examples("How do I get started?"))]
    question: Option<String>,
    /// Groups the questions of one visit, 1 to 200 characters. Without one, the server makes one.
    #[serde(default, deserialize_with = "text")]
    #[schema(examples("visit-7f3a"))]
    session_id: Option<String>,
    /// BCP 47 tag of the language to answer in; an unknown one or none means the site's setting.
    #[serde(default, deserialize_with = "text")]
    #[schema(examples("en"))]
    language: Option<String>,
}

/// The answer to a question.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChatAnswer {
    /// The answer as restricted Markdown; a polite sentence where the sources hold none.
    #[schema(examples("Paste the script tag into your page."))]
    answer: String,
    /// Addresses of the pages (names of the files) that the answer rests on, best first, without
    /// repeats; empty when no answer was found.
    #[schema(examples("https://example.com/docs/start"))]
    sources: Vec<String>,
    /// Names the exchange in feedback and handoff.
    #[schema(examples("conv_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    conversation_id: String,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    conversation: ChatAnswer,
    credits: CreditsLeft,
}

impl Endpoint for Chat {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/chat";
    const OPERATION: (&'static str, &'static str) = ("Chat", include_str!("../operations/chat.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "chat",
        summary: "Ask a question",
        description: "Answers from the site's sources, and says so when they hold no answer. One credit a question.",
        success: "The answer.",
        errors: &[(400, "The question is missing, empty or too long, or the body is not a JSON object.")],
    };
    const CREDITS: Credits = Credits::Told;
    type Request = ChatRequest;
    type Data = Asked;
    type Answer = ChatAnswer;

    fn variables(request: &ChatRequest) -> Variables {
        let ChatRequest { question, session_id, language } = request;
        let question = question.as_deref().unwrap_or_default();
        json!({"input": {"question": question, "sessionId": session_id, "language": language}}).into()
    }

    fn answer(_: &ChatRequest, data: Asked) -> ChatAnswer {
        data.conversation
    }

    fn credits(data: &Asked) -> Option<CreditsLeft> {
        Some(data.credits)
    }
}

/// POST /feedback
pub(crate) struct SubmitFeedback;

/// A visitor's vote on an answer.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeedbackRequest {
    /// From the answer to the question.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, examples("conv_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    conversation_id: Option<String>,
    /// Whether the answer helped.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = Helpful, required = true)]
    helpful: Option<String>,
}

/// A vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(examples("yes"))]
pub(crate) enum Helpful {
    /// It helped.
    #[serde(alias = "HELPFUL")]
    Yes,
    /// It did not.
    #[serde(alias = "UNHELPFUL")]
    No,
}

/// That it was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Success {
    /// Always true.
    #[schema(examples(true))]
    success: bool,
}

/// A changed conversation, of which REST tells nothing.
#[derive(Deserialize)]
pub(crate) struct Changed {}

impl Endpoint for SubmitFeedback {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/feedback";
    const OPERATION: (&'static str, &'static str) = ("Feedback", include_str!("../operations/feedback.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "submitFeedback",
        summary: "Say whether an answer helped",
        description: "The last vote counts; the event is sent when the vote changes.",
        success: "The vote is noted.",
        errors: &[(400, "A field is missing or invalid, or the site has no such conversation.")],
    };
    type Request = FeedbackRequest;
    type Data = Changed;
    type Answer = Success;

    fn variables(request: &FeedbackRequest) -> Variables {
        let Some(id) = stated(&request.conversation_id) else { return missing_id("feedback", "HELPFUL") };
        let feedback = match request.helpful.as_deref() {
            Some("yes") => "HELPFUL",
            Some("no") => "UNHELPFUL",
            _ => {
                let refused = json!({"input": {"conversationId": "", "feedback": "HELPFUL"}});
                return Variables::misfit(refused, "helpful must be \"yes\" or \"no\"");
            }
        };
        json!({"input": {"conversationId": id, "feedback": feedback}}).into()
    }

    fn answer(_: &FeedbackRequest, _: Changed) -> Success {
        Success { success: true }
    }

    fn refuse(failure: Failure) -> Refusal {
        unknown_is_bad(failure)
    }
}

/// POST /handoff
pub(crate) struct RequestHandoff;

/// A visitor's wish to speak with a human.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HandoffRequest {
    /// From the answer to the question.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, examples("conv_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    conversation_id: Option<String>,
    /// Where the visitor wants to be answered; empty means nowhere.
    #[serde(default, deserialize_with = "text_or_spelling")]
    #[schema(format = Email, examples("visitor@example.com"))]
    customer_email: Option<String>,
}

impl Endpoint for RequestHandoff {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/handoff";
    const OPERATION: (&'static str, &'static str) = ("Handoff", include_str!("../operations/handoff.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "requestHandoff",
        summary: "Hand a conversation to a human",
        description: "Tells the site's owner by e-mail, once. Asked again, it adds an e-mail address that was missing.",
        success: "The conversation is handed over.",
        errors: &[(400, "A field is missing or invalid, or the site has no such conversation.")],
    };
    type Request = HandoffRequest;
    type Data = Changed;
    type Answer = Success;

    fn variables(request: &HandoffRequest) -> Variables {
        let Some(id) = stated(&request.conversation_id) else {
            return Variables::misfit(json!({"input": {"conversationId": ""}}), MISSING_ID);
        };
        json!({"input": {"conversationId": id, "customerEmail": stated(&request.customer_email)}}).into()
    }

    fn answer(_: &HandoffRequest, _: Changed) -> Success {
        Success { success: true }
    }

    fn refuse(failure: Failure) -> Refusal {
        unknown_is_bad(failure)
    }
}

const MISSING_ID: &str = "Missing conversationId";

fn missing_id(field: &str, value: &str) -> Variables {
    Variables::misfit(json!({"input": {"conversationId": "", field: value}}), MISSING_ID)
}

fn stated(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// No 404 is documented here: an unknown conversation, another site's and an id that is none
/// are alike a bad value.
fn unknown_is_bad(failure: Failure) -> Refusal {
    match failure.code {
        ErrorCode::NotFound => Refusal::bad_request("Conversation not found"),
        _ => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn variables<E: Endpoint>(body: Value) -> (Value, Option<String>) {
        E::variables(&E::Request::deserialize(&body).unwrap()).parts()
    }

    #[test]
    fn a_question_is_passed_on_as_sent_and_a_wrong_type_as_nothing() {
        let rows = [
            (json!({"question": " hi ", "sessionId": "s", "language": "de"}), json!([" hi ", "s", "de"])),
            (json!({"question": 7, "sessionId": {}, "language": []}), json!(["", null, null])),
            (json!({}), json!(["", null, null])),
        ];

        for (body, expected) in rows {
            let (sent, misfit) = variables::<Chat>(body.clone());
            let input = &sent["input"];
            assert_eq!(json!([input["question"], input["sessionId"], input["language"]]), expected, "{body}");
            assert_eq!(misfit, None);
        }
    }

    #[test]
    fn only_the_two_documented_votes_are_votes() {
        let voted = |vote: Value| variables::<SubmitFeedback>(json!({"conversationId": "conv_1", "helpful": vote}));

        assert_eq!(voted(json!("yes")).0, json!({"input": {"conversationId": "conv_1", "feedback": "HELPFUL"}}));
        assert_eq!(voted(json!("no")).0, json!({"input": {"conversationId": "conv_1", "feedback": "UNHELPFUL"}}));
        for vote in [json!("YES"), json!(true), json!(null), json!("")] {
            let (probe, misfit) = voted(vote.clone());
            assert_eq!(misfit.as_deref(), Some("helpful must be \"yes\" or \"no\""), "{vote}");
            assert_eq!(probe["input"]["conversationId"], "", "the probe must be refused whatever is stored");
        }
    }

    #[test]
    fn an_empty_address_is_none_and_a_missing_id_is_said_to_be_missing() {
        let (sent, _) = variables::<RequestHandoff>(json!({"conversationId": "conv_1", "customerEmail": " "}));
        let (odd, _) = variables::<RequestHandoff>(json!({"conversationId": "conv_1", "customerEmail": 7}));
        let (_, misfit) = variables::<RequestHandoff>(json!({"conversationId": 7, "customerEmail": "a@b.co"}));

        assert_eq!(sent, json!({"input": {"conversationId": "conv_1", "customerEmail": null}}));
        assert_eq!(odd["input"]["customerEmail"], "7", "to be refused as malformed");
        assert_eq!(misfit.as_deref(), Some("Missing conversationId"));
    }

    #[test]
    fn an_unknown_conversation_is_a_bad_value() {
        let unknown = Failure::new(ErrorCode::NotFound, "Conversation not found");

        assert_eq!(SubmitFeedback::refuse(unknown.clone()), Refusal::bad_request("Conversation not found"));
        assert_eq!(RequestHandoff::refuse(unknown.clone()), Refusal::bad_request("Conversation not found"));
        assert_eq!(Chat::refuse(unknown), Refusal::not_found("Conversation not found"));
    }
}
