// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { plural } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import { condition, profileNow } from "../state/select.ts";
import type { Profile, ProfileId, ScenarioMeta } from "../wire/types.ts";
import type { Actions } from "./actions.ts";
import { Shape } from "./shapes.tsx";

interface Props {
  readonly state: State;
  readonly actions: Actions;
  readonly meta: ScenarioMeta;
}

export function RunBar({ state, actions, meta }: Props) {
  return (
    <div className="run-bar">
      <ProfileSelector
        profiles={state.hello?.profiles ?? []}
        current={profileNow(state)}
        disabled={state.link.phase !== "open"}
        onChoose={actions.profile}
      />
      <RunButton state={state} actions={actions} meta={meta} />
    </div>
  );
}

interface SelectorProps {
  readonly profiles: readonly Profile[];
  readonly current: ProfileId;
  readonly disabled: boolean;
  readonly onChoose: (profile: ProfileId) => void;
}

function ProfileSelector({ profiles, current, disabled, onChoose }: SelectorProps) {
  return (
    <fieldset className="profiles" disabled={disabled}>
      <legend className="hidden">Profile</legend>
      {profiles.map((profile) => (
        <label key={profile.id} title={profile.description} data-profile={profile.id}>
          <input
            type="radio"
            name="profile"
            value={profile.id}
            checked={profile.id === current}
            onChange={() => onChoose(profile.id)}
          />
          <span className="profile-name">{profile.label}</span>
          <span className="profile-workers">{plural(profile.workers, "worker")}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** One button in one place: Run, or Stop while this scenario runs. */
function RunButton({ state, actions, meta }: Props) {
  const now = condition(state);
  if (now === "running" || now === "warming-up" || now === "stalled") {
    return (
      <button type="button" className="run-button stop" onClick={actions.stop}>
        <Shape name="square" /> Stop
      </button>
    );
  }
  const disabled = now === "not-real" || now === "node-gone" || now === "starting";
  return (
    <button
      type="button"
      className="run-button primary"
      disabled={disabled}
      title={meta.real ? "Run (Enter)" : `Comes with phase ${meta.real_after_phase}`}
      onClick={() => actions.run(meta.id)}
    >
      <Shape name="play" /> Run
    </button>
  );
}
