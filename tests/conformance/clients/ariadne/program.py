"""The typed client that ariadne-codegen generates, as an adapter of scenario.mjs: it reads requests from its standard input
and writes results and events to its standard output, one JSON object on each line."""

import asyncio
import json
import os
import sys
import traceback

from helpbot import AskQuestionInput, Client, Feedback, SubmitFeedbackInput
from websockets.exceptions import WebSocketException

AUTHORIZATION = "Bearer " + os.environ["HELPBOT_KEY"]
HEADERS = {"Authorization": AUTHORIZATION, "Accept": "application/graphql-response+json"}


def client():
    """Requests go to the server, and subscriptions to an address whose connections the test can cut."""
    return Client(
        url=os.environ["HELPBOT_URL"],
        headers=HEADERS,
        ws_url=os.environ["HELPBOT_STREAM_URL"],
        ws_connection_init_payload={"authorization": AUTHORIZATION},
    )


async def follow(after):
    """Reports all events after the cursor. Connects again after the last one when the connection was lost."""
    while True:
        try:
            async for result in client().events(after=after):
                event = result.conversation_events
                after = event.cursor
                write({"event": {"cursor": after, "type": event.type_.value, "conversationId": event.conversation_id}})
        except (OSError, WebSocketException):
            await asyncio.sleep(0.02)


async def ask(question):
    payload = (await client().ask(AskQuestionInput(question=question))).ask_question
    return payload.conversation.id


async def page(search, first, after):
    conversations = (await client().page(search=search, first=first, after=after)).site.conversations
    assert all(node.created_at.tzinfo is not None for node in conversations.nodes)
    info = conversations.page_info
    return {"ids": [node.id for node in conversations.nodes], "endCursor": info.end_cursor, "hasNextPage": info.has_next_page}


async def vote(conversation_id):
    changed = SubmitFeedbackInput(conversation_id=conversation_id, feedback=Feedback.HELPFUL)
    await client().vote(changed)
    found = (await client().find(conversation_id)).node
    assert found.typename__ == "Conversation"
    return (await client().vote(changed)).submit_feedback.conversation.feedback.value


async def cursor():
    return (await client().cursor()).site.event_cursor


def write(line):
    print(json.dumps(line), flush=True)


def ended(task):
    """Ends the program when following has failed, so that the test sees the error."""
    if not task.cancelled():
        traceback.print_exception(task.exception())
        os._exit(1)


async def main():
    following = None
    while line := await asyncio.to_thread(sys.stdin.readline):
        request = json.loads(line)
        if request["method"] == "follow":
            following = asyncio.create_task(follow(*request["params"]))
            following.add_done_callback(ended)
            result = None
        else:
            result = await globals()[request["method"]](*request["params"])
        write({"id": request["id"], "result": result})
    if following:
        following.cancel()


asyncio.run(main())
