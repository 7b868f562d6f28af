"""Three views for those who look with SQL, under the names that they know."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

LOST = ()

VIEWS = {
    # What waits for a person, most urgent first. Nobody waits for the end of a trial.
    "v_actionable_tickets": """
        SELECT c.conversation_id, c.external_ref, c.state, c.reason, c.priority, c.category,
               c.confidence, c.channel, c.subject, c.created_at, c.last_at, c.assigned_to,
               k.name AS customer_name, k.company, d.serial_number, m.manufacturer,
               m.name AS model_name
        FROM conversation c
        JOIN customer k ON k.customer_id = c.customer_id
        LEFT JOIN device d ON d.device_id = c.device_id
        LEFT JOIN printer_model m ON m.model_id = d.model_id
        WHERE c.state IN ('handed_over', 'failed') AND c.trial = 0
        ORDER BY CASE c.priority WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2
                 WHEN 'low' THEN 3 ELSE 2 END, c.created_at
    """,
    # Automation: what was answered without a person, of what was not left alone on purpose, nor
    # tried, nor answered by another desk and brought along.
    "v_pipeline_performance": """
        SELECT DATE(created_at) AS day, COUNT(*) AS total,
               SUM(CASE WHEN state = 'answered' THEN 1 ELSE 0 END) AS auto_resolved,
               ROUND(AVG(confidence), 2) AS avg_confidence,
               ROUND(100.0 * SUM(CASE WHEN state = 'answered' THEN 1 ELSE 0 END)
                     / COUNT(*), 1) AS automation_rate
        FROM conversation WHERE state <> 'ignored' AND reason <> 'imported' AND trial = 0
        GROUP BY DATE(created_at)
    """,
    # What is on its road, oldest first.
    "v_unprocessed_messages": """
        SELECT m.message_id, m.conversation_id, m.channel, m.external_id, m.subject, m.text,
               m.received_at, m.stored_at, k.customer_id, k.name AS customer_name, k.company
        FROM message m
        JOIN conversation c ON c.conversation_id = m.conversation_id
        JOIN customer k ON k.customer_id = c.customer_id
        WHERE m.outcome = ''
        ORDER BY m.stored_at
    """,
}


def upgrade() -> None:
    """Go one step up."""
    for name, query in VIEWS.items():
        op.execute(f"DROP VIEW IF EXISTS {name}")
        op.execute(f"CREATE VIEW {name} AS {query}")


def downgrade() -> None:
    """Go back."""
    for name in VIEWS:
        op.execute(f"DROP VIEW IF EXISTS {name}")
