--[[
  What scripts may ask of the functions for jobs that have rules: parking, rates, reservations, stopping, unique, starting.
  They are made when the first of them is asked for, since to make them costs a script 20 µs, and most jobs have none.
]]
return {
  clock = clock,
  expire_if_due = expire_if_due,
  fill_slots = fill_slots,
  find_refusal = find_refusal,
  free_slot = free_slot,
  is_key_free = is_key_free,
  let_go = let_go,
  make_fresh = make_fresh,
  may_start = may_start,
  record_run = record_run,
  release_all = release_all,
  reserve_next = reserve_next,
  stop = stop,
  sweep_expired = sweep_expired,
  take_back_start = take_back_start,
  take_key = take_key,
  take_unique = take_unique,
  unpark = unpark,
  withdraw = withdraw,
}
