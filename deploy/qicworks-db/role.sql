-- At the first start of QicWorks' database: the role that pulls, pushes and shows. What it may do is given to it by
-- `python -m xero migrate --grant-to qicworks_sync`, at every start.
\getenv password QICWORKS_SYNC_PASSWORD
CREATE ROLE qicworks_sync LOGIN PASSWORD :'password';
