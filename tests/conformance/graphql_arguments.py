"""A hook for schemathesis, which makes up GraphQL documents from the types of the schema alone. The descriptions of some
arguments have rules that types cannot express. This hook gives such arguments values that follow the rules, so that every
document of the positive mode is one that the server must accept. Values of a wrong kind, which the negative mode makes, stay.
"""

from dataclasses import replace

import graphql
import schemathesis

# `first` and `last` are 1 to 100, and only one of them is allowed. One item also keeps the cost of nested lists low.
SIZES = {"first", "last"}
# A cursor comes from the list that it belongs to. (The ID of a site is that of the key, so it is left out too.)
OPAQUE = {"after", "before"}


def is_int(value):
    """Whether the value is one of the type `Int`, which has 32 bits. The negative mode makes larger ones."""
    return isinstance(value, graphql.IntValueNode) and -(2**31) <= int(value.value) < 2**31


class Rules(graphql.Visitor):
    """Replaces arguments that only their description restricts."""

    def leave_field(self, node, *_):
        arguments = []
        for argument in node.arguments:
            name, value = argument.name.value, argument.value
            if name in OPAQUE and isinstance(value, graphql.StringValueNode):
                continue
            if name in SIZES and (is_int(value) or isinstance(value, graphql.NullValueNode)):
                continue
            if name == "id" and node.name.value == "site" and isinstance(value, (graphql.StringValueNode, graphql.IntValueNode)):
                continue
            arguments.append(argument)
        return replace(node, arguments=tuple(arguments))

    def leave_object_field(self, node, *_):
        if node.name.value == "siteId" and isinstance(node.value, (graphql.StringValueNode, graphql.IntValueNode)):
            return replace(node, value=graphql.NullValueNode())
        return None


@schemathesis.hook
def map_body(_context, document):
    return graphql.visit(document, Rules())
