-- depends: 0013.pay-taken-back
-- Who may write to this table is not who decides what is sent: a request is sent again only if its seal, made with the
-- app's token keys, says that this project has written it, and when. Rows of earlier versions have none.
ALTER TABLE xero_sync.push_request ADD COLUMN seal bytea;
