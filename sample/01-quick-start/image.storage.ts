import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import sharp from 'sharp';

const FORMATS = ['jpeg', 'png', 'webp', 'gif'];

/** Exactly the names that this class gives, so that no name leads out of the folder. */
const NAME = /^[\da-f-]{36}(-\d+)?\.(jpeg|png|webp|gif)$/;

/** Keeps uploaded images and their thumbnails in a folder that API and workers share. */
@Injectable()
export class ImageStorage {
  readonly folder = join(tmpdir(), 'nestjs-tasks-sample');

  /** Answers the name it was stored under; undefined when the content is no image. */
  async store(content: Buffer): Promise<string | undefined> {
    const format = await formatOf(content);
    if (!format) return undefined;
    const name = `${randomUUID()}.${format}`;
    await mkdir(this.folder, { recursive: true });
    await writeFile(join(this.folder, name), content);
    return name;
  }

  /** Where a stored image is; undefined for a name that is not kept here. */
  async pathOf(name: string): Promise<string | undefined> {
    if (!NAME.test(name)) return undefined;
    const path = join(this.folder, name);
    return access(path).then(
      () => path,
      () => undefined,
    );
  }

  /** Writes a smaller copy and answers its name, the same one whenever it is asked again. */
  async resize(name: string, width: number): Promise<string> {
    const thumbnail = `${parse(name).name}-${width}.jpeg`;
    await sharp(join(this.folder, name)).resize({ width }).jpeg().toFile(join(this.folder, thumbnail));
    return thumbnail;
  }
}

/** Reads every pixel, so that a damaged file is refused at the upload and not by the task. */
async function formatOf(content: Buffer): Promise<string | undefined> {
  try {
    const image = sharp(content);
    const { format } = await image.metadata();
    await image.stats();
    return FORMATS.includes(format) ? format : undefined;
  } catch {
    return undefined;
  }
}
