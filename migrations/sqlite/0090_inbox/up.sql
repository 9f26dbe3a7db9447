-- The inbox lists conversations by the status of their handoff: those that wait by the time of the request, the others by
-- their last change. Only conversations with a handoff are in these indexes.
CREATE INDEX conversations_waiting ON conversations (site_id, handoff_status, handoff_at_ms, id) WHERE handoff_status IS NOT NULL;
CREATE INDEX conversations_handled ON conversations (site_id, handoff_status, updated_at_ms, id) WHERE handoff_status IS NOT NULL;
