-- Tables for a try of this example, to be run in the database `ledger`; `warehouse` may be empty.
CREATE ROLE ledger_owner;
GRANT CREATE ON DATABASE ledger TO ledger_owner;
CREATE SCHEMA books AUTHORIZATION ledger_owner;
SET ROLE ledger_owner;
CREATE TABLE books.accounts (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE books.entries (id bigint PRIMARY KEY, account bigint REFERENCES books.accounts, amount numeric NOT NULL);
CREATE SEQUENCE books.entry_numbers;
CREATE FUNCTION books.balance(account bigint, at date) RETURNS numeric
  LANGUAGE sql STABLE AS 'SELECT sum(amount) FROM books.entries e WHERE e.account = balance.account';
RESET ROLE;
