// The rules of @graphql-eslint for schemas, and those of Relay. Each exception says why.
import plugin from '@graphql-eslint/eslint-plugin';

/** Parts of a thing or of an answer: they are found by what they are part of, and have no id. */
const PARTS = [
  'Analytics', 'AnalyticsOverview', 'AnswerDelta', 'AnswerFinished', 'AnswerPromise', 'AnswerRestart', 'AnswerSettings', 'AppliedAnswerRule',
  'AssigneeCount', 'AuditEntry', 'BusinessHours', 'ChunkChange', 'Citation', 'ContactAttribute', 'ConversationActivity', 'ConversationCounts',
  'ConversationTag', 'CreditCaps', 'Credits', 'DailyActivity', 'DailyMetrics', 'DataRetention', 'DeliveryAttempt', 'EmbeddingProgress', 'Evaluation',
  'EvaluationResult', 'ExpectedReply', 'FeedbackReasonCount', 'Handoff', 'HandoffMetrics', 'HandoffStatusCount', 'HttpHeader', 'LanguageCount',
  'LanguageMetrics', 'LeftOut', 'MemberMetrics', 'Omission', 'OpeningPeriod', 'OutcomeCount', 'PageChange', 'PageInfo', 'PreviewedAnswer',
  'PreviewedQuestion', 'QuestionMetrics', 'QuestionTopic', 'ReplyDraft', 'SourceMetrics', 'SourceProgress', 'SourceSync', 'TimeMetrics',
  'TopicQuestion', 'TrustedDocument', 'UserError', 'Viewer', 'VisitorRecord', 'WaitingMail', 'WebhookSecretRotation', 'WidgetConfig', 'WidgetTexts',
];

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: process.env.SCHEMA } } },
    plugins: { '@graphql-eslint': plugin },
    rules: {
      ...plugin.configs['flat/schema-recommended'].rules,
      ...plugin.configs['flat/schema-relay'].rules,
      '@graphql-eslint/strict-id-in-types': [
        'error',
        { exceptions: { suffixes: ['Connection', 'Edge', 'Payload'], types: PARTS } },
      ],
      // Connections have `nodes` beside `edges`, and an object that is only read within its list does not implement `Node`.
      '@graphql-eslint/relay-edge-types': [
        'error',
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
];
