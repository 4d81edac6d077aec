"""Where runtimes are known to behave differently: for each a table, reason → tests.

A name may carry its parameter in brackets; without one it means all. The peers are those of Debian 12 (runc 1.1, crun 1.8)
and of Debian 13, which the machine of vm/ has (runc 1.1, crun 1.21); a newer one may pass some. A listed test still runs, and its
failure counts as expected.

What capsule cannot do yet is listed too; there, a listed test that passes is a failure, so that the list only shrinks.
"""


def bad_configs(*names):
    return [f"test_a_bad_config_is_refused_and_leaves_nothing[{name}]" for name in names]


def named(test, *parameters):
    return [f"{test}[{parameter}]" for parameter in parameters]


# Neither 1.1 of runc nor 1.8 of crun knows /linux/netDevices: what they ignore stays on the host.
NET_DEVICE_TESTS = [
    "test_a_network_device_moves_into_the_container_with_its_address",
    "test_a_moved_device_is_gone_from_the_host",
    "test_a_moved_device_is_up",
    "test_an_ipv4_address_keeps_all_that_belongs_to_it",
    "test_an_ipv6_address_keeps_all_that_belongs_to_it",
    "test_addresses_keep_their_order",
    "test_addresses_that_are_not_permanent_and_global_stay_behind",
    "test_changes_in_the_hosts_network_meanwhile_do_not_matter",
    "test_a_label_follows_the_name",
    "test_the_size_of_packets_and_the_hardware_address_are_kept",
    "test_a_numbered_name_is_the_next_free_one",
    "test_two_devices_may_exchange_their_names",
    "test_exec_sees_the_device",
    "test_a_create_runtime_hook_finds_the_device_inside",
    "test_R03_nothing_that_moved_the_device_is_open_in_the_container",
    "test_R24_the_devices_move_before_anything_of_the_container_runs",
    "test_a_device_moves_into_a_network_namespace_joined_by_path",
    "test_a_device_whose_index_is_taken_gets_another_one",
    "test_a_device_moves_into_a_user_namespaces_network",
    "test_a_virtual_device_ends_with_its_namespace",
    "test_a_device_stays_in_a_joined_namespace_when_the_container_is_deleted",
    "test_a_name_that_is_taken_in_the_container_is_refused_and_nothing_moves",
    "test_a_name_that_two_devices_want_is_refused",
    "test_a_device_that_may_not_move_brings_back_those_that_did",
    "test_the_loopback_device_is_not_moved",
    "test_a_device_that_is_in_the_namespace_already_is_refused",
    "test_an_alternative_name_is_not_a_device",
    "test_network_devices_are_refused_without_privileges",
    "test_features_says_that_network_devices_move",
]

# Neither peer knows these fields: their effects do not show, and wrong values pass.
NEWER_FIELDS = [
    "test_the_nice_value_is_set_without_a_policy_of_its_own",
    "test_a_real_time_policy_has_its_priority",
    "test_the_flag_reset_on_fork_keeps_children_ordinary",
    "test_a_deadline_has_its_runtime_deadline_and_period",
    "test_the_io_priority_has_the_class_asked_for",
    "test_the_memory_policy_is_set",
    "test_exec_without_a_final_affinity_keeps_the_initial_one",
    *bad_configs("scheduler-nice-out-of-range", "scheduler-priority-of-an-ordinary-policy"),
    *bad_configs("scheduler-runtime-without-deadline", "scheduler-flag-unknown", "scheduler-deadline-impossible"),
    *bad_configs("io-priority-out-of-range", "exec-affinity-malformed", "exec-final-affinity-malformed"),
    *bad_configs("memory-policy-mode-unknown", "memory-policy-flag-unknown", "memory-policy-without-nodes"),
    *bad_configs("memory-policy-nodes-malformed", "memory-policy-node-missing"),
]

BUILDKIT_TESTS = [
    "test_the_exit_code_of_a_step_is_that_of_its_command",
    "test_the_group_of_a_step_is_there_until_it_is_deleted",
    "test_a_step_killed_for_want_of_memory_is_known_before_the_delete",
    "test_the_state_tells_bundle_and_rootfs_while_a_step_runs",
    "test_a_step_that_is_killed_ends_with_137",
    "test_a_signal_to_the_runtime_reaches_the_step",
    "test_signals_that_are_the_runtimes_own_do_not_reach_the_step",
    "test_a_step_on_a_terminal_follows_its_size",
    "test_an_exec_beside_a_step_runs_in_the_foreground",
    "test_a_command_that_is_missing_fails_the_step_and_nothing_stays",
    "test_a_runtime_that_is_killed_in_the_middle_of_a_step_can_be_cleaned_up",
]
BOTH_SWAPS = ("memory-limit=67108864,memory-swap=100663296", "memory-limit=67108864,memory-swap=67108864")
BY_FILE_ALONE = ("unified-cpu.max=25000 50000", "unified-cpuset.cpus=0", "unified-cpuset.mems=0")

CAPSULE = {
}

# Of test_process_trees.py, what no peer survives: neither its first thread's end nor paths beyond PATH_MAX.
FIRST_THREAD_GONE = [
    f"{test}[first_thread_gone]"
    for test in (
        "test_a_tree_is_paused_and_resumed",
        "test_kill_all_ends_a_tree",
        "test_kill_all_ends_a_paused_tree",
        "test_a_tree_is_deleted_by_force",
        "test_a_paused_tree_is_deleted_by_force",
    )
]

RUNC = {
    "1.1 does not tell systemd of these": [
        *named("test_systemd_and_the_file_tell_the_same_limit", "cpu-idle=1", BOTH_SWAPS[1]),
        *named("test_an_update_reaches_systemd_and_the_file", BOTH_SWAPS[1]),
    ],
    "lets the first real-time signal end it instead of passing it on": named(
        "test_run_survives_and_forwards_signals_that_would_end_it", "34"
    ),
    "has no sub-groups": named("test_a_sub_group_is_named_by_an_annotation", "payload"),
    "converts shares by the older, linear formula": named(
        "test_a_field_is_converted_for_the_file_it_has_in_version_2", "shares-default", "shares-between"
    ),
    "takes a process whose first thread has ended for dead": FIRST_THREAD_GONE,
    "1.1 does not list processes in threaded groups": named("test_ps_lists_every_process_of_a_tree_once", "threaded"),
    "1.1 walks by path alone, and paths end at 4096 characters": [
        *named("test_ps_lists_every_process_of_a_tree_once", "deep_with_long_names"),
        *named("test_kill_all_ends_a_tree", "deep_with_long_names"),
        *named("test_kill_all_ends_a_paused_tree", "deep_with_long_names"),
        *named("test_a_tree_is_deleted_by_force", "deep_with_long_names"),
        *named("test_a_paused_tree_is_deleted_by_force", "deep_with_long_names"),
    ],
    "1.1 signals process by process, and fails at the threads it finds": [
        *named("test_kill_all_ends_a_tree", "threaded"),
        *named("test_kill_all_ends_a_paused_tree", "threaded"),
    ],
    "1.1 does not update huge pages": ["test_update_limits_huge_pages"],
    "1.1 has no such option": named("test_an_option_sets_its_limit", "cpu-burst=10000", "cpu-idle=1"),
    "1.1 does not know these fields": NEWER_FIELDS,
    "1.1 leaves the process the processors of its caller": [
        "test_the_processors_of_the_caller_are_not_the_containers"
    ],
    "1.1 of Debian 13 says only that it is a directory": named(
        "test_podman_tells_by_the_words_what_a_command_that_cannot_run_ends_with", "/etc-126"
    ),
    "1.1 of Debian 13 tells of no huge pages": ["test_events_tells_of_every_size_of_huge_pages"],
    "1.1 needs the memory controller to tell more than once": [
        "test_events_tells_at_every_interval",
        "test_a_stream_of_events_ends_when_the_container_does",
    ],
    "takes kinds of logs for names of files": ["test_a_log_file_may_be_named_with_its_kind"],
    "1.1 does not know this field": [
        *bad_configs("sysctl-domainname-twice"),
        "test_a_cpu_burst_lets_a_rested_container_exceed_its_quota",
        "test_an_idle_container_gets_what_others_leave",
        *bad_configs("scheduler-unknown", "io-priority-unknown", "personality-unknown"),
        *bad_configs("domainname-without-uts-namespace", "time-offsets-without-time-namespace"),
        *bad_configs("net-device-missing", "net-devices-without-network-namespace"),
        *NET_DEVICE_TESTS,
        "test_exec_pins_its_process_to_the_cpus_asked_for",
        "test_the_domainname_is_set",
        "test_the_personality_is_set",
        "test_the_scheduler_is_set",
        "test_the_io_priority_is_set",
    ],
    "1.1 looks for the fifo on the host in a user namespace": ["test_a_fifo_is_made_in_a_user_namespace"],
    "puts nothing on the root": ["test_a_mount_on_the_root_takes_its_place"],
    "1.1 has no time namespaces": [
        "test_a_time_namespace_is_new",
        "test_time_offsets_move_the_clocks",
        "test_a_joined_time_namespace_has_the_others_clock",
        "test_features_tells_of_the_newer_extensions",
    ],
    "1.1 has no id-mapped mounts": [
        "test_an_idmapped_bind_shows_other_owners",
        "test_mappings_of_a_bind_ask_for_it_without_the_option",
        "test_an_idmapped_bind_takes_the_containers_maps",
        "test_ridmap_maps_the_mounts_below_as_well",
        "test_containerd_offers_user_namespaces_to_pods",
    ],
    "1.1 has no --pidfd-socket": ["test_a_pidfd_is_sent_over_the_pidfd_socket"],
    "1.1 sets the size after the command has started": [
        "test_the_terminal_has_the_size_of_the_users",
        "test_exec_on_a_terminal_gives_the_command_a_terminal",
    ],
    "1.1 has no seccomp flags": named(
        "test_the_flags_of_a_filter_are_understood",
        *(f"SECCOMP_FILTER_FLAG_{flag}" for flag in ("LOG", "SPEC_ALLOW", "TSYNC")),
    ) + ["test_waiting_for_the_agent_killably_is_understood"],
    "1.1 does not check this": [
        *bad_configs("bind-with-data", "device-without-path", "maps-without-user-namespace"),
        "test_a_bind_takes_no_data",
        *bad_configs("device-rule-access-unknown", "argument-with-nul"),
        "test_the_root_of_the_file_system_is_refused_as_root",
        *named("test_R19_a_number_is_read_as_a_whole_or_refused", "-1", "0x1"),
    ],
    "1.1 forwards URG": ["test_signals_that_are_the_runtimes_own_do_not_reach_the_step"],
    "waits for whoever holds the pipes of a hook": ["test_a_daemon_that_a_hook_leaves_does_not_hold_the_shims_pipe"],
    "wants every one of them open": [
        "test_preserve_fds_may_cover_closed_descriptors",
        "test_preserved_descriptors_may_leave_holes",
    ],
    "1.1 only warns": ["test_create_refuses_a_group_with_processes_in_it"],
    "1.1 wants maps even for a joined user namespace": [
        "test_a_user_namespace_is_joined_by_path_together_with_its_others"
    ],
    "1.1 leaves the cgroup behind": [
        *bad_configs("namespace-path-of-another-type", "namespace-path-is-a-plain-file", "maps-overlap"),
        "test_delete_force_cleans_up_after_the_runtime_was_killed_mid_create",
        "test_whatever_the_runtime_was_killed_in_can_be_deleted_by_force",
    ],
    "1.1 signals init alone": [
        "test_kill_with_kill_ends_all_processes_when_there_is_no_own_pid_namespace",
        "test_delete_removes_stragglers_that_outlived_init",
        "test_kill_ends_all_of_a_container_in_the_nodes_pid_namespace",
    ],
    "1.1 needs the container's /proc": [
        "test_a_config_without_mounts_is_accepted",
        "test_a_container_without_a_mount_namespace_runs_in_its_root",
        "test_R05_a_sysctl_is_set_without_the_containers_proc",
        "test_R26_a_container_without_a_mount_namespace_leaves_the_hosts_propagation",
    ],
    "1.1 logs a warning besides": [
        "test_a_failure_makes_exactly_one_json_line_in_the_log",
        "test_a_text_log_tells_level_and_message",
        "test_the_log_file_is_appended_to",
        "test_podman_reads_the_whole_log_as_one_object",
        "test_an_error_is_written_at_once",
        "test_what_is_worth_a_warning_changes_nothing_for_those_who_read",
    ],
    "1.1 says permission denied": [
        "test_podman_is_told_of_a_directory_in_the_words_of_its_own_tests",
        "test_a_command_that_cannot_run_is_explained_in_the_words_engines_look_for[/etc-is a directory]",
        "test_exec_of_a_directory_says_so",
    ],
    "Go may raise the soft limit to the hard one": ["test_the_executed_process_has_the_containers_rlimits"],
    "reads the bundle again at exec": [
        "test_exec_uses_the_config_of_the_create",
        "test_R23_exec_does_not_read_the_bundle_again",
    ],
    "exec takes the umask of the process file alone": ["test_the_executed_process_has_the_containers_umask"],
    "waits for every holder of its pipes": ["test_exec_does_not_wait_for_processes_it_left_in_the_background"],
    "1.1 runs poststart before the command is executed": [
        "test_the_six_kinds_run_once_each_and_in_order",
        "test_create_runs_the_first_three_and_start_the_next_two",
        "test_a_hook_reads_the_state_from_standard_input[poststart]",
        "test_a_failing_poststart_hook_ends_the_container",
    ],
    "1.1 tells the service manager of READY=1 without a barrier": [
        "test_start_returns_when_the_service_is_ready_and_the_manager_knows_its_pid",
        "test_a_detached_run_returns_when_the_service_is_ready",
        "test_a_delete_removes_the_socket_with_the_container",
    ],
    "1.1 waits for READY=1 in the foreground": [
        "test_the_socket_lies_in_a_directory_of_which_nothing_else_can_be_made"
    ],
    "1.1 wants a process": ["test_start_without_a_process_is_refused_and_changes_nothing"],
    "has no --regex": [
        "test_kill_regex_signals_every_container_that_matches",
        "test_delete_regex_removes_every_container_that_matches",
        "test_a_regular_expression_that_matches_nothing_is_no_failure",
    ],
    "stops at the first failing poststop hook": [
        "test_a_failing_poststop_hook_does_not_keep_the_others_from_running"
    ],
    "opens /dev/tty": ["test_a_terminal_needs_no_terminal_on_our_side"],
    "1.1 looks for the end in /proc, where an init that nobody has waited for yet still is": [
        "test_start_returns_when_the_container_ends_without_being_ready"
    ],
    "1.1 needs its standard streams": ["test_it_runs_with_its_standard_streams_closed"],
    "does not end the last line": ["test_state_writes_to_stdout_alone_and_ends_the_line"],
    "1.1 does not know these recursive options": [
        *named("test_an_option_of_the_file_system_is_set", "rsync", "rdirsync", "rmand"),
        *named("test_the_last_of_contradicting_options_of_a_file_system_wins", "rmand-rnomand--", "rsync-rasync--"),
    ],
    "1.1 clears less than it is told": [
        *named("test_the_last_of_contradicting_options_wins", "strictatime-relatime--", "rro-rrw--", "rro-rw--"),
        *named("test_the_last_of_contradicting_options_wins", "rnosuid-rsuid--"),
        *named("test_a_recursive_option_clears_what_the_source_has", "ratime-1024-noatime-relatime"),
        *named("test_a_recursive_option_that_is_the_default_changes_nothing", "rnostrictatime"),
    ],
    "1.1 puts the mode of the directory above the option": ["test_tmpfs_takes_its_data_options"],
    "1.1 hands `defaults` to the file system": [
        "test_an_option_that_clears_or_changes_nothing_is_understood[defaults]"
    ],
    "1.1 applies it to what is covered by the new root": [
        *named("test_the_propagation_of_the_root_is_set", "shared-shared:", "unbindable-unbindable"),
        *named("test_the_propagation_of_the_root_is_set", "rshared-shared:", "runbindable-unbindable"),
        *named("test_a_slave_root_follows_a_shared_one_of_the_host", "slave-True"),
    ],
    "1.1 cannot open its own /dev/null then": ["test_a_device_of_the_config_replaces_a_default_one"],
    "1.1 takes no sysctl of a user namespace": ["test_sysctls_of_the_user_namespace_are_set"],
    "makes directories behind an exchanged symlink": [
        "test_R02_a_target_that_is_exchanged_for_a_symlink_meanwhile_stays_in_rootfs"
    ],
    "follows /dev out of the rootfs (CVE-2026-41579)": [
        "test_R11_a_dev_that_is_a_symlink_is_not_followed_out_of_the_rootfs"
    ],
    "mounts the host's hierarchy writable": [
        "test_R13_without_a_cgroup_namespace_the_hosts_hierarchy_cannot_be_written"
    ],
    "1.1 fails instead of keeping locked flags": named(
        "test_R25_flags_locked_by_a_user_namespace_are_kept", "rbind ro", "bind noatime"
    ),
    "has no --config": ["test_another_config_file_may_be_used"],
    "has no --cgroup-manager": [
        *named(
            "test_systemd_that_is_not_there_is_told_and_nothing_is_left",
            *(f"{path}-{command}-manager" for path in ("none", "scope", "path") for command in ("create", "run")),
        ),
        *named("test_engine_rule_5_a_container_of_the_files_does_not_mind_that_later_commands_name_systemd", "manager"),
        "test_the_cgroupfs_manager_can_be_named",
        "test_a_container_without_groups_is_stopped_without_saying_so_again",
        "test_with_the_cgroup_manager_disabled_the_container_stays_in_the_callers_group",
        "test_a_disabled_manager_is_remembered_and_the_callers_group_left_alone",
        "test_a_container_without_a_group_is_not_paused_with_its_callers",
    ],
}

CRUN = {
    "tells systemd memory and swap together": [
        *named("test_systemd_and_the_file_tell_the_same_limit", *BOTH_SWAPS),
        *named("test_an_update_reaches_systemd_and_the_file", *BOTH_SWAPS),
    ],
    "1.21 does not tell systemd of these": [
        *named("test_systemd_and_the_file_tell_the_same_limit", "cpu-idle=1", *BY_FILE_ALONE),
        *named("test_an_update_reaches_systemd_and_the_file", *BY_FILE_ALONE),
        *named("test_what_the_container_uses_is_accounted_for", "IO"),
        "test_systemd_closes_devices_even_without_rules",
    ],
    "1.21 takes no slice for one with an empty name": named("test_a_slice_may_be_left_out_or_be_the_root", "none"),
    "1.21 takes the second colon for a part of the name": named(
        "test_a_path_of_another_form_is_refused", "system.slice:one:two:three"
    ),
    "1.21 hands seconds over unchecked, as what they are: uint64 alone will do": named(
        "test_an_annotation_sets_a_property_of_the_unit",
        *("TimeoutStopSec=int32 5", "TimeoutStopSec=5", "TimeoutStopSec=5.5"),
    ),
    "1.21 has no such command": ["test_engine_rule_5_events_needs_the_flag_no_more"],
    "1.21 asks systemd before it writes down that it will": [
        "test_delete_force_cleans_up_whenever_the_making_of_a_scope_was_killed",
    ],
    "converts shares by the older, linear formula": named(
        "test_a_field_is_converted_for_the_file_it_has_in_version_2", "shares-default", "shares-between"
    ),
    "takes a process whose first thread has ended for dead": FIRST_THREAD_GONE,
    "1.8 looks one level below": [
        *named("test_ps_lists_every_process_of_a_tree_once", "nested", "deep_with_long_names", "self_moved"),
        *named("test_kill_all_sends_its_signal_to_every_process_of_a_tree", "nested"),
    ],
    "does not list processes in threaded groups": named("test_ps_lists_every_process_of_a_tree_once", "threaded"),
    "1.8 has no room for 3,000 on its stack": named("test_ps_lists_every_process_of_a_tree_once", "crowd"),
    "1.21, beside what 1.8 does: is more lenient, or has other words": [
        *bad_configs("process-is-an-array"),
        *named("test_exec_runs_as_the_user_asked_for", "user"),
        "test_exec_of_a_file_that_is_not_executable_says_so",
        "test_R13_without_a_cgroup_namespace_the_hosts_hierarchy_cannot_be_written",
        *named("test_R25_flags_locked_by_a_user_namespace_are_kept", "bind", "bind noatime"),
    ],
    "runs a container without the limits that its user may not set": [
        "test_without_a_group_a_limit_is_refused_and_nothing_is_left"
    ],
    "has no rdma limits": ["test_a_limit_on_an_rdma_device_that_is_not_here_is_refused"],
    "does not look at the types of values": [
        *bad_configs("root-readonly-is-a-string", "args-is-a-string", "args-holds-a-number", "terminal-is-a-string"),
        *bad_configs("uid-is-a-string", "umask-is-a-string", "rlimits-is-an-object", "capabilities-is-an-array"),
        *bad_configs("hostname-is-a-number", "mount-options-is-a-string", "namespaces-is-an-object"),
        *bad_configs("cgroups-path-is-a-number", "memory-limit-is-a-string", "pids-limit-is-a-string"),
        *bad_configs("device-major-is-a-string", "hooks-is-an-array", "no-new-privileges-is-a-number"),
        *bad_configs("console-size-is-negative", "capability-set-is-a-string", "oom-score-is-a-string"),
    ],
    "updates what has stopped": ["test_a_stopped_container_is_not_updated"],
    "1.8 takes bytes alone, no unit, and has fewer limits to update": ["test_an_option_sets_its_limit"],
    "1.8 does not check this": [
        *bad_configs("args-missing", "cwd-relative", "rlimit-twice", "scheduler-unknown", "io-priority-unknown"),
        "test_private_is_refused_without_pivot_root",
        *bad_configs("rootfs-is-a-symlink", "bind-with-data", "mount-inside-proc", "tmpfs-on-proc"),
        "test_a_bind_takes_no_data",
        *bad_configs("mount-target-below-a-read-only-mount", "masked-paths-without-mount-namespace"),
        *bad_configs("device-type-unknown", "namespace-twice", "maps-without-user-namespace"),
        *bad_configs("time-offsets-without-time-namespace", "seccomp-notify-without-listener"),
        *bad_configs("device-rule-type-unknown", "device-rule-access-unknown", "unified-key-is-a-path"),
        *bad_configs("argument-with-nul", "variable-with-nul", "variable-without-equals", "rdt-is-absent"),
        *bad_configs("user-namespace-without-maps", "seccomp-flag-unknown", "rootfs-propagation-unknown"),
        "test_an_identifier_that_could_leave_the_root_is_refused[a b]",
        "test_a_call_needed_to_hand_the_listener_over_is_not_notified",
        "test_not_every_call_may_be_notified",
        "test_create_refuses_a_group_with_processes_in_it",
        "test_create_refuses_a_frozen_group",
        "test_the_root_of_the_file_system_is_refused_as_root",
        "test_a_bad_process_file_is_refused[relative-cwd]",
        "test_R19_a_number_is_read_as_a_whole_or_refused",
        "test_R06_a_directory_is_not_bound_over_proc",
        "test_R06_a_symlink_of_the_image_does_not_lead_a_mount_below_proc",
        *named("test_too_many_arguments_are_refused", "pause", "resume"),
        "test_pause_of_a_paused_container_is_refused",
        "test_resume_of_a_running_container_is_refused",
    ],
    "1.8 leaves the cgroup behind": [
        *bad_configs("rlimit-unknown", "rlimit-soft-above-hard", "oom-score-out-of-range", "namespace-unknown"),
        *bad_configs("namespace-path-missing", "namespace-path-relative", "namespace-path-of-another-type"),
        *bad_configs("namespace-path-is-a-plain-file", "maps-overlap", "hugepage-size-unknown", "unified-file-missing"),
        "test_a_limit_without_its_controller_is_refused_and_leaves_nothing",
        "test_delete_force_cleans_up_after_the_runtime_was_killed_mid_create",
    ],
    "1.8 raises RLIMIT_MEMLOCK for device rules, which needs CAP_SYS_RESOURCE": [
        "test_device_rules_are_as_they_were_after_an_update",
        "test_the_default_devices_can_be_used",
        "test_a_denied_device_cannot_be_opened",
        "test_an_allowed_device_can_be_opened",
        "test_the_access_of_a_rule_counts",
        "test_a_device_may_be_used_as_its_rule_says",
        "test_a_later_rule_takes_back_what_an_earlier_one_allowed",
        "test_the_kind_of_a_rule_counts",
        "test_nodes_may_be_made_but_not_opened",
        "test_exec_is_bound_by_the_device_rules",
        "test_the_default_bundle_shows_an_isolated_world",
        "test_the_default_bundle_is_closed_where_it_should_be",
        "test_the_default_bundle_runs_a_shell_on_a_terminal",
        "test_the_rootless_bundle_runs",
    ],
    "allows every device without rules": [
        "test_devices_are_denied_unless_a_rule_allows_them",
        "test_R16_devices_are_denied_even_without_any_resources",
    ],
    "1.8 has no such command or flag": [
        *named("test_every_command_explains_itself", "features", "events"),
        *named("test_a_manager_given_later_does_not_count", "events"),
        "test_events_stats_prints_one_line_and_ends",
        "test_events_stats_have_the_members_that_engines_read",
        "test_events_tells_the_processor_time_in_nanoseconds",
        "test_events_tells_of_every_size_of_huge_pages",
        "test_events_tells_how_many_processes_there_are_and_may_be",
        "test_events_tells_the_memory_and_its_limits",
        "test_events_tells_what_was_written_to_which_disk",
        "test_events_tells_at_every_interval",
        "test_events_of_a_created_container_can_be_told",
        "test_events_of_a_paused_container_can_be_told",
        "test_events_tells_when_a_process_was_killed_for_want_of_memory",
        "test_help_names_every_command[-h]",
        "test_features_names_versions_hooks_and_mount_options",
        "test_features_names_what_linux_offers",
        "test_features_tells_of_the_newer_extensions",
        "test_features_says_nothing_on_stderr",
        "test_features_needs_no_root_and_no_environment",
        "test_rootless_can_be_said",
        "test_a_pidfd_is_sent_over_the_pidfd_socket",
        "test_run_keep_leaves_a_stopped_container_with_its_cgroup",
        *BUILDKIT_TESTS,
        "test_statistics_come_as_one_object",
        "test_a_stream_of_events_ends_when_the_container_does",
        "test_top_finds_the_column_pid",
        "test_containerd_offers_user_namespaces_to_pods",
        "test_binds_may_be_read_only_all_the_way_down",
        "test_crio_finds_the_answer_valid",
        "test_the_answer_is_the_same_every_time",
        *named("test_what_crio_asks_at_its_start_has_nothing_on_stderr", "features"),
        "test_exec_takes_the_additional_groups_asked_for",
        "test_exec_with_ignore_paused_runs_once_the_container_resumes",
        "test_ps_passes_its_options_to_ps",
        "test_ps_accepts_format_table_before_the_identifier_and_options_after",
    ],
    "has GNU flags, not Go's": [
        "test_flags_with_one_dash_are_gos",
        *named("test_a_flag_may_be_written_in_every_form", "-root ROOT", "-root=ROOT"),
        *named("test_the_bundle_may_be_given_in_every_form", "-b=B", "-bundle B"),
        *named("test_run_accepts_the_flags_engines_send", "-no-subreaper", "--no-pivot=false"),
    ],
    "takes paths of cgroups as they are": [
        "test_an_empty_path_asks_for_no_other_place_than_none",
        "test_an_absolute_path_is_below_the_root_of_the_hierarchy[//one//two/]",
        "test_dots_in_the_path_do_not_leave_the_hierarchy",
        "test_a_relative_path_is_beside_the_group_of_the_runtime",
    ],
    "uses XDG_RUNTIME_DIR as root too": [
        "test_root_ignores_the_users_runtime_directory",
        "test_the_state_is_where_podman_looks_for_it",
    ],
    "says that a file is missing, not a container": [
        "test_a_kill_that_finds_nobody_is_told_from_other_errors",
        "test_the_shim_deletes_what_is_gone_already",
        "test_whoever_polls_the_state_reads_a_whole_one_at_every_moment",
    ],
    "begins the names of errors with a capital, which Docker and CRI-O do not know": [
        "test_docker_run_tells_by_the_words_why_a_command_cannot_run",
        "test_crio_kills_what_does_not_obey_until_it_is_told_that_nobody_is_there",
    ],
    "1.8 does not name what it could not execute": [
        *named("test_podman_tells_by_the_words_what_a_command_that_cannot_run_ends_with", "/etc/passwd-126", "/etc-126"),
        "test_podman_is_told_of_a_directory_in_the_words_of_its_own_tests",
        *named(
            "test_conmon_learns_of_a_failed_exec_by_the_missing_file_and_reads_why", "/etc/passwd-ermission denied"
        ),
    ],
    "1.8 now and then leaves init alive": ["test_whatever_the_runtime_was_killed_in_can_be_deleted_by_force"],
    "exec begins no session": ["test_a_probe_that_takes_too_long_is_ended_alone"],
    "1.8 has descriptors of its own among those that are kept": ["test_preserved_descriptors_may_leave_holes"],
    "changes directory before it uses relative paths": [
        "test_a_relative_root_is_relative_to_the_callers_directory",
        "test_a_relative_pid_file_lies_in_the_working_directory_of_the_caller",
    ],
    "1.8 needs its standard streams": ["test_it_runs_with_its_standard_streams_closed"],
    "wants a terminal of its own": [
        "test_a_terminal_needs_no_terminal_on_our_side",
    ],
    "1.8 does not set the size at the start": [
        "test_the_terminal_has_the_size_of_the_users",
        "test_the_terminal_follows_when_the_users_changes_its_size",
    ],
    "rejects versions beyond the one it knows": ["test_a_newer_minor_version_of_the_specification_is_accepted"],
    "wants mounts": ["test_a_config_without_mounts_is_accepted"],
    "has a text log of its own form": ["test_a_text_log_tells_level_and_message"],
    "exec takes these from its flags or the process file alone": [
        "test_the_executed_process_has_no_new_privileges_like_the_container",
        "test_the_executed_process_has_the_containers_umask",
        "test_the_executed_process_has_the_containers_rlimits",
        "test_exec_adds_variables",
        "test_exec_adds_capabilities_but_never_inheritable_ones",
    ],
    "1.8 dies when a hook does not read its input": [
        "test_a_hook_that_does_not_read_its_input_is_fine",
    ],
    "tells another bundle path inside the container": ["test_a_hook_reads_the_state_from_standard_input[startContainer]"],
    "1.8 does not wait for the command before it runs poststart": [
        "test_the_six_kinds_run_once_each_and_in_order",
        "test_create_runs_the_first_three_and_start_the_next_two",
    ],
    "1.8 runs no poststop hook after a failed create": ["test_poststop_hooks_run_when_a_hook_of_create_fails"],
    "1.8 wants capabilities": ["test_start_without_a_process_is_refused_and_changes_nothing"],
    "1.8 ignores a failing poststart hook": ["test_a_failing_poststart_hook_ends_the_container"],
    "does not wait until the group is frozen": [
        "test_a_paused_container_does_not_run",
        "test_a_tree_is_paused_and_resumed",
        "test_a_fork_bomb_is_paused_and_then_does_nothing",
    ],
    "a created container is never paused": ["test_a_created_container_can_be_paused_and_resumed"],
    "ends quietly": ["test_kill_of_a_stopped_container_is_refused"],
    "1.8 knows signals in capitals alone and takes others for 0": [
        *named("test_kill_takes_a_signal_by_number_and_by_name_in_any_case", "term", "sigterm", "Term"),
        *named("test_kill_with_an_unknown_signal_is_refused", "NONSENSE", "SIGNONSENSE", "9x"),
        "test_kill_names_the_unknown_signal",
    ],
    "signals init alone": [
        "test_kill_with_kill_ends_all_processes_when_there_is_no_own_pid_namespace",
        "test_kill_ends_all_of_a_container_in_the_nodes_pid_namespace",
    ],
    "tells the rootfs as the config has it": ["test_state_tells_what_engines_read"],
    "lists fewer keys": ["test_list_json_carries_the_keys_of_state"],
    "1.8 does not know these options": [
        *named("test_an_option_is_set_on_a_tmpfs", "nosymfollow"),
        *named("test_an_option_is_set_on_a_bind", "nosymfollow"),
        *named(
            "test_an_option_that_clears_or_changes_nothing_is_understood",
            *"iversion loud noiversion silent symfollow".split(),
        ),
        *named(
            "test_a_recursive_option_reaches_the_mounts_below",
            "rnoatime-noatime", "rnodiratime-nodiratime", "rnosymfollow-nosymfollow",
        ),
    ],
    "the first of contradicting options wins": [
        "test_the_last_of_contradicting_options_wins",
        "test_the_last_of_contradicting_options_of_a_file_system_wins",
        "test_the_last_propagation_wins",
    ],
    "1.8 makes the mount private again": [
        *named("test_the_propagation_of_a_mount_is_set", "shared-shared:", "unbindable-unbindable", "rshared-shared:"),
        *named("test_the_propagation_of_a_mount_is_set", "runbindable-unbindable"),
        "test_recursive_propagation_reaches_the_mounts_below",
    ],
    "1.8 hands these words to mount_setattr(2), which refuses them": [
        *named("test_an_option_of_the_file_system_is_set", "rsync", "rmand"),
        "test_a_recursive_option_clears_what_the_source_has",
        "test_a_recursive_option_that_is_the_default_changes_nothing",
    ],
    "1.8 makes the root private first": ["test_a_slave_root_follows_a_shared_one_of_the_host"],
    "1.8 clears the flags of what it makes read-only": ["test_a_read_only_path_keeps_the_flags_it_had"],
    "1.8 binds nothing on the root": ["test_a_mount_on_the_root_takes_its_place"],
    "1.8 leaves the mounts below an id-mapped bind out": ["test_ridmap_maps_the_mounts_below_as_well"],
    "1.8 has a mode of its own": ["test_a_tmpfs_inherits_the_mode_of_its_directory"],
    "1.8 offers no time namespace without offsets": [
        "test_a_time_namespace_is_new",
        "test_time_offsets_move_the_clocks",
        "test_a_joined_time_namespace_has_the_others_clock",
    ],
    "1.8 opens the empty path": ["test_an_empty_path_means_a_new_namespace"],
    "takes no sysctl of a user namespace": ["test_sysctls_of_the_user_namespace_are_set"],
    "does not set 0": ["test_an_oom_score_of_0_is_set_too"],
    "sets no HOME for a user without an entry": ["test_home_comes_from_the_containers_passwd[4711-/]"],
    "1.8 does not know these fields": NEWER_FIELDS,
    "1.8 leaves the process the processors of its caller": [
        "test_the_processors_of_the_caller_are_not_the_containers"
    ],
    "1.8 passes an empty mount label on to the file system": ["test_an_empty_label_asks_for_nothing"],
    "ignores labels that cannot be applied": bad_configs("selinux-is-absent-for-mounts"),
    "1.8 does not know this field": [
        *bad_configs("time-offsets-of-another-clock"),
        *bad_configs("net-device-missing", "net-devices-without-network-namespace"),
        *NET_DEVICE_TESTS,
        "test_exec_pins_its_process_to_the_cpus_asked_for",
        "test_the_scheduler_is_set",
        "test_the_io_priority_is_set",
    ],
    "1.8 does not set LISTEN_PID": ["test_listen_fds_are_passed_with_their_variables"],
    "1.8 tells the agent pid 0 at exec": ["test_exec_has_a_listener_of_its_own"],
    "1.8 connects to a listener that it does not need": ["test_a_listener_is_not_needed_where_nothing_is_notified"],
    "makes newer calls EPERM": ["test_calls_newer_than_the_profile_do_not_exist"],
    "writes the pid file in place": ["test_the_pid_file_appears_at_once_and_complete"],
    "has a socket of another kind": [
        "test_ready_is_passed_on_to_the_service_manager",
        "test_start_returns_when_the_service_is_ready_and_the_manager_knows_its_pid",
        "test_start_returns_when_the_container_ends_without_being_ready",
        "test_a_detached_run_returns_when_the_service_is_ready",
        "test_the_socket_lies_in_a_directory_of_which_nothing_else_can_be_made",
        "test_a_delete_removes_the_socket_with_the_container",
    ],
    "adds a network namespace and leaves the maps out": [
        "test_spec_rootless_asks_for_a_user_namespace_and_no_resources"
    ],
    "1.8 fails to execute now and then (\"fail startup\")": ["test_exec_into_a_user_namespace_is_root_inside"],
    "init keeps the environment of the caller": ["test_R08_init_carries_nothing_of_the_callers_environment"],
    "follows /dev out of the rootfs (CVE-2026-47766)": [
        "test_R11_a_dev_that_is_a_symlink_is_not_followed_out_of_the_rootfs"
    ],
    "drops flags of the source": ["test_R25_flags_locked_by_a_user_namespace_are_kept[rbind ro]"],
}

# What an ordinary user cannot have (ROOTLESS=1), of whatever runtime.
ROOTLESS = {
    "a default bundle without a user namespace needs root": [
        "test_the_default_bundle_shows_an_isolated_world",
        "test_the_default_bundle_is_closed_where_it_should_be",
        "test_the_default_bundle_runs_a_shell_on_a_terminal",
        "test_an_unlisted_namespace_is_the_callers[user]",
    ],
    "the state of an ordinary user is in XDG_RUNTIME_DIR": ["test_root_ignores_the_users_runtime_directory"],
    "devices are the host's own nodes, bound: owner, mode and what may be opened are the host's": [
        "test_an_allowed_device_can_be_opened",
        "test_the_access_of_a_rule_counts",
        "test_a_device_may_be_used_as_its_rule_says",
        "test_nodes_may_be_made_but_not_opened",
        "test_the_default_devices_exist",
        "test_a_device_is_made_with_mode_and_owner",
        "test_a_device_outside_dev_is_made_with_its_directories",
        "test_a_block_device_and_a_fifo_are_made",
        "test_a_device_without_a_mode_is_for_everyone",
        "test_a_device_of_the_config_replaces_a_default_one",
        "test_a_device_that_is_there_and_matches_is_left_as_it_is",
        "test_a_device_that_is_there_and_does_not_match_is_refused",
        "test_a_symlink_in_place_of_a_device_is_refused",
    ],
    "a network device leaves only a network whose owner lets it go": [
        "test_a_network_device_moves_into_the_container_with_its_address",
        "test_a_moved_device_is_gone_from_the_host",
        "test_a_moved_device_is_up",
        "test_an_ipv4_address_keeps_all_that_belongs_to_it",
        "test_an_ipv6_address_keeps_all_that_belongs_to_it",
        "test_addresses_keep_their_order",
        "test_addresses_that_are_not_permanent_and_global_stay_behind",
        "test_changes_in_the_hosts_network_meanwhile_do_not_matter",
        "test_a_label_follows_the_name",
        "test_the_size_of_packets_and_the_hardware_address_are_kept",
        "test_a_numbered_name_is_the_next_free_one",
        "test_two_devices_may_exchange_their_names",
        "test_a_name_that_is_taken_in_the_container_is_refused_and_nothing_moves",
        "test_an_alternative_name_is_not_a_device",
        "test_exec_sees_the_device",
        "test_a_create_runtime_hook_finds_the_device_inside",
        "test_R03_nothing_that_moved_the_device_is_open_in_the_container",
        "test_R24_the_devices_move_before_anything_of_the_container_runs",
        "test_a_device_moves_into_a_network_namespace_joined_by_path",
        "test_a_device_whose_index_is_taken_gets_another_one",
        "test_a_device_moves_into_a_user_namespaces_network",
        "test_a_virtual_device_ends_with_its_namespace",
        "test_a_device_stays_in_a_joined_namespace_when_the_container_is_deleted",
        "test_a_device_that_may_not_move_brings_back_those_that_did",
        "test_a_launch_that_fails_later_gives_the_device_back",
        "test_a_program_that_cannot_run_gives_the_device_back",
        "test_a_device_that_was_down_goes_back_down",
        "test_the_loopback_device_is_not_moved",
        "test_a_device_that_is_in_the_namespace_already_is_refused",
    ],
    "sources of mounts that are added later are opened outside, by whoever may bring them in": [
        "test_binds_are_added_with_their_options",
        "test_a_bound_file_is_removed",
        "test_a_relative_source_is_relative_to_the_bundle",
        "test_the_mounts_are_the_containers_alone_and_end_with_it",
        "test_mounts_are_added_in_a_user_namespace",
        "test_if_one_cannot_be_added_none_is",
        "test_what_is_undone_is_not_what_a_copied_link_leads_to",
        *named("test_what_cannot_be_added_is_refused", "mount5-/mounts/0: open_tree /nowhere"),
        "test_R02_a_symlink_of_the_container_does_not_lead_out_of_it",
        "test_R02_a_device_named_by_a_file_system_is_the_hosts",
        "test_R03_nothing_of_the_helper_stays",
    ],
    "priorities above the ordinary one need CAP_SYS_NICE": [
        "test_a_real_time_policy_has_its_priority",
        "test_the_flag_reset_on_fork_keeps_children_ordinary",
        "test_a_deadline_has_its_runtime_deadline_and_period",
        *named("test_the_io_priority_has_the_class_asked_for", "IOPRIO_CLASS_RT-realtime: prio 3"),
    ],
    "the suite hands the rootfs over by path, and here its links change meanwhile": [
        "test_R02_a_target_that_is_exchanged_for_a_symlink_meanwhile_stays_in_rootfs"
    ],
    "the test makes a pid namespace around the runtime": [
        "test_the_pid_told_is_the_runtimes_view_in_a_nested_pid_namespace"
    ],
    "a proc file system is mounted by who owns the pid namespace": [
        "test_kill_all_ends_every_process_of_the_container",
        "test_kill_all_reaches_groups_the_container_made_after_init_has_died",
        "test_kill_all_ends_the_stragglers_after_init_has_died",
        "test_kill_with_kill_ends_all_processes_when_there_is_no_own_pid_namespace",
        "test_the_shim_ends_what_outlived_init_in_a_shared_pid_namespace",
        "test_all_of_a_shared_pid_namespace_ends_after_init_has_died",
        "test_kill_ends_all_of_a_container_in_the_nodes_pid_namespace",
        "test_delete_removes_stragglers_that_outlived_init",
        "test_run_returns_128_plus_the_signal_that_ended_the_command",
        "test_an_unlisted_namespace_is_the_callers[pid]",
    ],
    "devices cannot be bound without a mount namespace": [
        "test_a_container_without_a_mount_namespace_runs_in_its_root",
        "test_a_container_without_a_mount_namespace_has_no_socket",
        "test_a_container_without_a_mount_namespace_is_left_alone",
    ],
    "a namespace of root's own is closed to others": ["test_a_mount_namespace_is_joined_by_path"],
    "the mounts of a more privileged namespace come as one piece": ["test_bind_leaves_mounts_below_the_source_out"],
    "the kernel locks when access times of such mounts are written": [
        *named("test_an_option_is_set_on_a_bind", "noatime", "nodiratime"),
        *named("test_a_recursive_option_reaches_the_mounts_below", "rnoatime-noatime", "rnodiratime-nodiratime"),
        *named(
            "test_the_last_of_contradicting_options_wins",
            "atime-noatime--", "relatime-strictatime--", "diratime-nodiratime--",
        ),
        "test_R25_flags_locked_by_a_user_namespace_are_kept[bind noatime]",
    ],
    "flags of the host's mounts cannot be cleared in a less privileged namespace": [
        "test_a_recursive_option_clears_what_the_source_has"
    ],
    "id-mapped mounts need root": [
        "test_an_idmapped_bind_shows_other_owners",
        "test_mappings_of_a_bind_ask_for_it_without_the_option",
        "test_an_idmapped_bind_takes_the_containers_maps",
        "test_a_bind_is_idmapped_without_a_user_namespace_of_the_container",
        "test_the_option_may_carry_the_maps",
        "test_ridmap_maps_the_mounts_below_as_well",
        "test_a_tmpfs_is_idmapped",
        "test_an_idmapped_tmpfs_of_a_user_namespace_belongs_to_its_root",
        "test_an_idmapped_tmpfs_inherits_the_mode_and_is_filled",
        "test_an_idmapped_tmpfs_becomes_read_only_when_it_is_filled",
        "test_a_file_system_that_the_kernel_does_not_map_is_named",
        "test_a_parameter_that_the_file_system_refuses_is_explained",
    ],
    "sources that only root can reach need root": [
        "test_a_source_only_root_can_reach_is_bound_into_a_user_namespace"
    ],
    "the bundle lists one namespace more, and the test tells its place": bad_configs("namespace-unknown", "namespace-twice"),
    "an ordinary user without maps is given some": bad_configs("user-namespace-without-maps"),
}

KNOWN_FAILURES = {
    runtime: {test: reason for reason, tests in table.items() for test in tests}
    for runtime, table in {"capsule": CAPSULE, "runc": RUNC, "crun": CRUN, "rootless": ROOTLESS}.items()
}

# What would harm the machine it runs on.
DANGEROUS = {
    "crun": {"test_dots_in_the_path_do_not_leave_the_hierarchy"},
    "runc": {"test_start_returns_when_the_container_ends_without_being_ready"},  # it would wait for ever
    "rootless": {"test_root_ignores_the_users_runtime_directory"},  # its container would stay in the user's directory
}


def reason_to_fail(runtime_name, test_name):
    table = KNOWN_FAILURES.get(runtime_name, {})
    return table.get(test_name) or table.get(test_name.split("[")[0])


def is_dangerous(runtime_name, test_name):
    return test_name in DANGEROUS.get(runtime_name, ())
