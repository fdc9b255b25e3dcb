SELECT set_config('idle_in_transaction_session_timeout', $1 ::text, true)
 WHERE current_setting('idle_in_transaction_session_timeout') = '0'
