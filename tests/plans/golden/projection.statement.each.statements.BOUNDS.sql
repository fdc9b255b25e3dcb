SELECT extract(epoch FROM (CASE current_setting(name) WHEN '0' THEN set_config(name, bound, true)
                                ELSE current_setting(name) END)::interval)::float8 AS bound_s
  FROM (VALUES ('idle_in_transaction_session_timeout', $1 ::text), ('lock_timeout', $2 ::text))
       AS given(name, bound)
