// The operations of relay.mjs. The compiler of Relay reads them; nothing runs this file.
import { graphql } from 'react-relay';

graphql`
  query documentsInboxQuery($search: String, $first: Int) {
    site { id ...documentsInbox_site @arguments(search: $search, first: $first) }
  }
`;
graphql`
  fragment documentsInbox_site on Site
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" }, search: { type: "String" })
  @refetchable(queryName: "documentsInboxPageQuery") {
    conversations(first: $first, after: $after, filter: { search: $search }) @connection(key: "Inbox_conversations", filters: ["filter"]) {
      __id
      edges { node { id question ...documentsRow_conversation } }
    }
  }
`;
graphql`
  fragment documentsRow_conversation on Conversation @refetchable(queryName: "documentsRowQuery") {
    id
    question
    feedback
    handoff { status assignee { id name } }
  }
`;
graphql`
  query documentsCursorQuery { site { id eventCursor } }
`;
graphql`
  mutation documentsAskMutation($input: AskQuestionInput!, $connections: [ID!]!) {
    askQuestion(input: $input) {
      conversation @prependNode(connections: $connections, edgeTypeName: "ConversationEdge") { id question ...documentsRow_conversation }
      userErrors { field message code }
    }
  }
`;
graphql`
  mutation documentsVoteMutation($input: SubmitFeedbackInput!) {
    submitFeedback(input: $input) { conversation { id feedback } userErrors { field message code } }
  }
`;
graphql`
  mutation documentsAddEntryMutation($input: AddFaqEntryInput!, $connections: [ID!]!) {
    addFaqEntry(input: $input) { entry @appendNode(connections: $connections, edgeTypeName: "FaqEntryEdge") { id question } userErrors { field message code } }
  }
`;
graphql`
  mutation documentsDeleteEntryMutation($input: DeleteFaqEntryInput!, $connections: [ID!]!) {
    deleteFaqEntry(input: $input) { deletedId @deleteEdge(connections: $connections) @deleteRecord userErrors { field message code } }
  }
`;
graphql`
  query documentsEntriesQuery($search: String) {
    site { id faqEntries(first: 20, search: $search) @connection(key: "Entries_faqEntries") { __id edges { node { id question } } } }
  }
`;
graphql`
  subscription documentsEventsSubscription($after: String) {
    conversationEvents(after: $after) { id cursor type conversationId conversation { id ...documentsRow_conversation } }
  }
`;
