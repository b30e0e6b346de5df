import { Injectable } from '@nestjs/common';
import { Ctx, Task, TaskContext } from 'nestjs-tasks';
import { ImageStorage } from './image.storage.js';

const WIDTHS = [64, 128, 256];

@Injectable()
export class UploadTasks {
  constructor(private readonly images: ImageStorage) {}

  @Task({ timeout: '1m' })
  async makeThumbnails(name: string, @Ctx() context: TaskContext): Promise<{ folder: string; files: string[] }> {
    const files: string[] = [];
    for (const width of WIDTHS) {
      context.signal.throwIfAborted();
      files.push(await this.images.resize(name, width));
      await context.progress({ done: files.length, total: WIDTHS.length });
    }
    return { folder: this.images.folder, files };
  }
}
