//! POST /chat, /feedback and /handoff: the requests that a widget sends for a visitor.

use axum::http::Method;
use helpbot_api::{ApiError, ErrorCode, Permission};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::endpoint::{CreditBalance, CreditHeaders, Endpoint, EndpointDoc, InvalidInput};
use crate::error::RestError;
use crate::request::{text, text_or_json};

const TAG: &str = "Chat";

/// POST /chat
pub(crate) struct Chat;

/// The question that a visitor asks.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChatRequest)]
pub(crate) struct QuestionRequest {
    /// Text of the question, 1 to 1000 Unicode code points. White space at both ends is removed first.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, min_length = 1, max_length = 1000,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$", examples("How do I get started?"))]
    question: Option<String>,
    /// ID that groups the questions of one visit, 1 to 200 characters. The server creates one when it is
    /// absent.
    #[serde(default, deserialize_with = "text")]
    #[schema(examples("visit-7f3a"))]
    session_id: Option<String>,
    /// BCP 47 tag of the language in which to answer. Defaults to the language setting of the site, which also
    /// applies when the tag is unknown.
    #[serde(default, deserialize_with = "text")]
    #[schema(examples("en"))]
    language: Option<String>,
}

/// The answer that HelpBot gave to a question.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChatAnswer {
    /// Text of the answer in a limited form of Markdown. Contains a polite fallback when the sources contain no
    /// answer.
    #[schema(examples("Paste the script tag into your page."))]
    answer: String,
    /// URLs of the pages, or names of the files, that the answer is based on, best first and without
    /// duplicates. Empty when no answer was found.
    #[schema(examples("https://example.com/docs/start"))]
    sources: Vec<String>,
    /// ID of the conversation, which POST /feedback and POST /handoff require.
    #[schema(examples("conv_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    conversation_id: String,
}

#[derive(Deserialize)]
pub(crate) struct ChatData {
    conversation: ChatAnswer,
    credits: CreditBalance,
}

impl Endpoint for Chat {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/chat";
    const OPERATION: (&'static str, &'static str) = ("Chat", include_str!("../operations/chat.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "chat",
        summary: "Ask a question",
        description: "Returns an answer from the sources of the site, or a fallback when they contain none. Each question uses one credit.",
        success: "The response contains the answer.",
        errors: &[(400, "The question is missing, empty or too long, or the body is not a JSON object.")],
    };
    const CREDIT_HEADERS: CreditHeaders = CreditHeaders::Present;
    type Request = QuestionRequest;
    type Data = ChatData;
    type Answer = ChatAnswer;

    fn variables(request: &QuestionRequest) -> Result<Value, InvalidInput> {
        let QuestionRequest { question, session_id, language } = request;
        let question = question.as_deref().unwrap_or_default();
        Ok(json!({"input": {"question": question, "sessionId": session_id, "language": language}}))
    }

    fn answer(_: &QuestionRequest, data: ChatData) -> ChatAnswer {
        data.conversation
    }

    fn credits(data: &ChatData) -> Option<CreditBalance> {
        Some(data.credits)
    }
}

/// POST /feedback
pub(crate) struct SubmitFeedback;

/// The vote that a visitor gives to an answer.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeedbackRequest {
    /// ID of the conversation, as returned by POST /chat.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, examples("conv_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    conversation_id: Option<String>,
    /// Whether the answer was helpful.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = Helpful, required = true)]
    helpful: Option<String>,
}

/// The value of a vote. It is `yes` or `no`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(examples("yes"))]
pub(crate) enum Helpful {
    /// The answer was helpful.
    #[serde(alias = "HELPFUL")]
    Yes,
    /// The answer was not helpful.
    #[serde(alias = "UNHELPFUL")]
    No,
}

/// Confirmation that the request succeeded.
#[derive(Serialize, ToSchema)]
pub(crate) struct Success {
    /// The value is always true.
    #[schema(examples(true))]
    success: bool,
}

/// The changed conversation, of which REST returns nothing.
#[derive(Deserialize)]
pub(crate) struct ConversationData {}

impl Endpoint for SubmitFeedback {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/feedback";
    const OPERATION: (&'static str, &'static str) = ("Feedback", include_str!("../operations/feedback.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "submitFeedback",
        summary: "Rate an answer",
        description: "Records whether an answer was helpful. The last vote counts. The event `conversation.feedback` is sent only when the vote changes.",
        success: "The vote was recorded.",
        errors: &[(400, "A field is missing or invalid, or the site has no such conversation.")],
    };
    type Request = FeedbackRequest;
    type Data = ConversationData;
    type Answer = Success;

    fn variables(request: &FeedbackRequest) -> Result<Value, InvalidInput> {
        let id = conversation_id(&request.conversation_id)?;
        let feedback = match request.helpful.as_deref() {
            Some("yes") => "HELPFUL",
            Some("no") => "UNHELPFUL",
            _ => return Err(InvalidInput::new(Permission::Chat, "helpful must be \"yes\" or \"no\"")),
        };
        Ok(json!({"input": {"conversationId": id, "feedback": feedback}}))
    }

    fn answer(_: &FeedbackRequest, _: ConversationData) -> Success {
        Success { success: true }
    }

    fn error(error: ApiError) -> RestError {
        unknown_conversation_is_400(error)
    }
}

/// POST /handoff
pub(crate) struct RequestHandoff;

/// A visitor requests to speak with a human.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HandoffRequest {
    /// ID of the conversation, as returned by POST /chat.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, examples("conv_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    conversation_id: Option<String>,
    /// E-mail address at which the visitor wants to be answered. An empty string counts as absent.
    #[serde(default, deserialize_with = "text_or_json")]
    #[schema(format = Email, examples("visitor@example.com"))]
    customer_email: Option<String>,
}

impl Endpoint for RequestHandoff {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/handoff";
    const OPERATION: (&'static str, &'static str) = ("Handoff", include_str!("../operations/handoff.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "requestHandoff",
        summary: "Request a human",
        description: "Hands the conversation over to the team and notifies the owner of the site by e-mail once. A repeated request adds the e-mail address if it was missing.",
        success: "The conversation was handed over.",
        errors: &[(400, "A field is missing or invalid, or the site has no such conversation.")],
    };
    type Request = HandoffRequest;
    type Data = ConversationData;
    type Answer = Success;

    fn variables(request: &HandoffRequest) -> Result<Value, InvalidInput> {
        let id = conversation_id(&request.conversation_id)?;
        Ok(json!({"input": {"conversationId": id, "customerEmail": non_empty(&request.customer_email)}}))
    }

    fn answer(_: &HandoffRequest, _: ConversationData) -> Success {
        Success { success: true }
    }

    fn error(error: ApiError) -> RestError {
        unknown_conversation_is_400(error)
    }
}

fn conversation_id(text: &Option<String>) -> Result<&str, InvalidInput> {
    non_empty(text).ok_or_else(|| InvalidInput::new(Permission::Chat, "Missing conversationId"))
}

fn non_empty(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// The contract documents no 404 for these routes: an unknown conversation, one of another site and a
/// malformed id are all a 400.
fn unknown_conversation_is_400(error: ApiError) -> RestError {
    match error.code {
        ErrorCode::NotFound => RestError::bad_request("Conversation not found"),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables<E: Endpoint>(body: Value) -> Result<Value, InvalidInput> {
        E::variables(&E::Request::deserialize(&body).unwrap())
    }

    fn invalid(message: &str) -> Result<Value, InvalidInput> {
        Err(InvalidInput::new(Permission::Chat, message))
    }

    #[test]
    fn a_question_is_passed_on_unchanged_and_a_value_of_the_wrong_type_is_absent() {
        let rows = [
            (json!({"question": " hi ", "sessionId": "s", "language": "de"}), json!([" hi ", "s", "de"])),
            (json!({"question": 7, "sessionId": {}, "language": []}), json!(["", null, null])),
            (json!({}), json!(["", null, null])),
        ];

        for (body, expected) in rows {
            let sent = variables::<Chat>(body.clone()).unwrap();
            let input = &sent["input"];
            assert_eq!(json!([input["question"], input["sessionId"], input["language"]]), expected, "{body}");
        }
    }

    #[test]
    fn only_the_two_documented_votes_are_accepted() {
        let voted = |vote: Value| variables::<SubmitFeedback>(json!({"conversationId": "conv_1", "helpful": vote}));

        let input = |feedback| Ok(json!({"input": {"conversationId": "conv_1", "feedback": feedback}}));
        assert_eq!((voted(json!("yes")), voted(json!("no"))), (input("HELPFUL"), input("UNHELPFUL")));
        for vote in [json!("YES"), json!(true), json!(null), json!("")] {
            assert_eq!(voted(vote.clone()), invalid("helpful must be \"yes\" or \"no\""), "{vote}");
        }
    }

    #[test]
    fn an_empty_address_is_absent_and_a_missing_id_is_reported() {
        let sent = variables::<RequestHandoff>(json!({"conversationId": "conv_1", "customerEmail": " "})).unwrap();
        let number = variables::<RequestHandoff>(json!({"conversationId": "conv_1", "customerEmail": 7})).unwrap();
        let missing = variables::<RequestHandoff>(json!({"conversationId": 7, "customerEmail": "a@b.co"}));

        assert_eq!(sent, json!({"input": {"conversationId": "conv_1", "customerEmail": null}}));
        assert_eq!(number["input"]["customerEmail"], "7", "the use case rejects it as malformed");
        assert_eq!(missing, invalid("Missing conversationId"));
    }

    #[test]
    fn an_unknown_conversation_is_a_bad_request() {
        let unknown = ApiError::new(ErrorCode::NotFound, "Conversation not found");

        assert_eq!(SubmitFeedback::error(unknown.clone()), RestError::bad_request("Conversation not found"));
        assert_eq!(RequestHandoff::error(unknown.clone()), RestError::bad_request("Conversation not found"));
        assert_eq!(Chat::error(unknown), RestError::not_found("Conversation not found"));
    }
}
