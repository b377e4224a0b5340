-- One role and database for each part, so that none can read another's. Run once by the image, when the volume is
-- empty, as psql's superuser with ON_ERROR_STOP. \getenv keeps the passwords off command lines.

\getenv dormouse_password DORMOUSE_DATABASE_PASSWORD
\getenv dormouse_runtime_password DORMOUSE_RUNTIME_DATABASE_PASSWORD
\getenv kratos_password KRATOS_DATABASE_PASSWORD
\getenv hydra_password HYDRA_DATABASE_PASSWORD
\getenv temporal_password TEMPORAL_DATABASE_PASSWORD
\getenv superuser_password POSTGRES_PASSWORD

-- Passwords that everybody can read in .env.example stop the whole system here: all other parts wait for PostgreSQL.
select bool_or(password like 'replace-me%') as has_placeholder
from (values (:'superuser_password'), (:'dormouse_password'), (:'dormouse_runtime_password'), (:'kratos_password'),
  (:'hydra_password'), (:'temporal_password')) as given (password) \gset
\if :has_placeholder
  do $$
  begin
    raise exception 'a password in .env is still a placeholder of .env.example. Remove .env and the volume, then run: sh deploy/create-env.sh';
  end
  $$;
\endif

create role dormouse login password :'dormouse_password';
-- Worker and gateway: not the owner of the tables, so that they can add to the audit log and never change it.
create role dormouse_runtime login password :'dormouse_runtime_password';
create role kratos login password :'kratos_password';
create role hydra login password :'hydra_password';
create role temporal login password :'temporal_password';

create database dormouse owner dormouse;
create database kratos owner kratos;
create database hydra owner hydra;
create database temporal owner temporal;
create database temporal_visibility owner temporal;

revoke all on database dormouse, kratos, hydra, temporal, temporal_visibility from public;
grant connect on database dormouse to dormouse_runtime;
