import 'reflect-metadata';

export interface SettingNote {
  about: string;
  unit?: 'ms' | 's' | 'h' | 'days' | 'bytes' | 'MB' | 'connections' | 'jobs';
  /** Its value is never shown, not even the default. */
  secret?: true;
}

const notes = new Map<string, SettingNote>();

/** Says what a setting is for; docs/configuration.md is made from it. */
export function setting(note: SettingNote): PropertyDecorator {
  return (_target, key) => {
    notes.set(String(key), note);
  };
}

export function settingNotes(): ReadonlyMap<string, SettingNote> {
  return notes;
}
